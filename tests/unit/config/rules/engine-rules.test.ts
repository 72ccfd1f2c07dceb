import { join } from "node:path";
import { engineRules } from "../../../../src/config/rules/engine-rules.js";
import { testRules } from "./rule-cases.js";

const example = join(import.meta.dirname, "../../../../examples/one_layer_attention.py");

testRules(engineRules, {
  broken: [
    { set: ["engine=fast", "model.type=llama"], message: "model.type: engine fast does not support llama: use gpt2, or engine=trainer" },
    {
      set: ["engine=fast", "model.activation_function=relu"],
      message: "model.activation_function: engine fast does not support relu: use gelu_new, or engine=trainer",
    },
    { set: ["engine=fast", "model.resid_pdrop=0.1"], message: "model.resid_pdrop: engine fast does not support 0.1: use 0, or engine=trainer" },
    { set: ["engine=fast", "model.embd_pdrop=0.1"], message: "model.embd_pdrop: engine fast does not support 0.1: use 0, or engine=trainer" },
    { set: ["engine=fast", "model.attn_pdrop=0.1"], message: "model.attn_pdrop: engine fast does not support 0.1: use 0, or engine=trainer" },
    {
      set: ["engine=fast", "model.reorder_and_upcast_attn=true"],
      message: "model.reorder_and_upcast_attn: engine fast does not support true: use false, or engine=trainer",
    },
    {
      set: ["engine=fast", "training.optim=adafactor"],
      message: "training.optim: engine fast does not support adafactor: use adamw_torch or adamw_torch_fused, or engine=trainer",
    },
    {
      set: ["engine=fast", `training.compute_loss_func.code=${example}`, "training.compute_loss_func.function=penalised_loss"],
      message: "training.compute_loss_func: engine fast does not support penalised_loss: omit it, or use engine=trainer",
    },
    {
      set: ["engine=fast", "training.label_smoothing_factor=0.1"],
      message: "training.label_smoothing_factor: engine fast does not support 0.1: use 0, or engine=trainer",
    },
    {
      set: ["engine=fast", "training.neftune_noise_alpha=5"],
      message: "training.neftune_noise_alpha: engine fast does not support 5: omit it, or use engine=trainer",
    },
    {
      set: ["engine=fast", "training.fp16=true", "training.bf16=false"],
      message: "training.fp16: engine fast does not support true: use false, or engine=trainer",
    },
    {
      set: ["engine=fast", "training.torch_compile=true"],
      message: "training.torch_compile: engine fast does not support true: use false, or engine=trainer",
    },
    {
      set: ["engine=fast", "training.activation_checkpointing=true"],
      message: "training.activation_checkpointing: engine fast does not support true: use false, or engine=trainer",
    },
    {
      set: ["engine=fast", "engine.batched_runs=2", "engine.compile=on"],
      message: "engine.compile: batched runs are not compiled: use engine.compile=off, or engine.batched_runs=1",
    },
  ],
  met: [["engine=fast", "training.optim=adamw_torch", "training.torch_compile=false"]],
});
