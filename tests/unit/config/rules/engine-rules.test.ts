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
      set: ["engine=fast", "training.torch_compile=true"],
      message: "training.torch_compile: engine fast does not support true: use false, or engine=trainer",
    },
    {
      set: ["engine=fast", "training.activation_checkpointing=true"],
      message: "training.activation_checkpointing: engine fast does not support true: use false, or engine=trainer",
    },
    {
      set: ["engine=fast", "training.fp16=true", "training.bf16=false"],
      message: "training.fp16: engine fast does not support true: use false, or engine=trainer",
    },
    {
      set: ["engine=portable", "model.type=tinylm"],
      message: "model.type: engine portable does not support tinylm: use gpt2 or llama or qwen3, or engine=trainer",
    },
    {
      set: ["engine=portable", "model.activation_function=relu"],
      message: "model.activation_function: engine portable does not support relu: use gelu_new, or engine=trainer",
    },
    { set: ["engine=portable", "model.resid_pdrop=0.1"], message: "model.resid_pdrop: engine portable does not support 0.1: use 0, or engine=trainer" },
    { set: ["engine=portable", "model.embd_pdrop=0.1"], message: "model.embd_pdrop: engine portable does not support 0.1: use 0, or engine=trainer" },
    { set: ["engine=portable", "model.attn_pdrop=0.1"], message: "model.attn_pdrop: engine portable does not support 0.1: use 0, or engine=trainer" },
    {
      set: ["engine=portable", "model.reorder_and_upcast_attn=true"],
      message: "model.reorder_and_upcast_attn: engine portable does not support true: use false, or engine=trainer",
    },
    {
      set: ["engine=portable", "model.type=llama", "model.hidden_act=relu"],
      message: "model.hidden_act: engine portable does not support relu: use silu, or engine=trainer",
    },
    {
      set: ["engine=portable", "model.type=llama", "model.attention_dropout=0.1"],
      message: "model.attention_dropout: engine portable does not support 0.1: use 0, or engine=trainer",
    },
    {
      set: ["engine=portable", "model.type=llama", 'model.rope_parameters={"rope_type":"linear","rope_theta":10000,"factor":2}'],
      message: "model.rope_parameters: engine portable does not support linear: use default, or engine=trainer",
    },
    {
      set: ["engine=portable", "model.type=llama", "model.pad_token_id=0"],
      message: "model.pad_token_id: engine portable does not support 0: omit it, or use engine=trainer",
    },
    {
      set: ["engine=portable", "model.type=qwen3", "model.hidden_act=relu"],
      message: "model.hidden_act: engine portable does not support relu: use silu, or engine=trainer",
    },
    {
      set: ["engine=portable", "model.type=qwen3", "model.attention_dropout=0.1"],
      message: "model.attention_dropout: engine portable does not support 0.1: use 0, or engine=trainer",
    },
    {
      set: ["engine=portable", "model.type=qwen3", 'model.rope_parameters={"rope_type":"linear","rope_theta":10000,"factor":2}'],
      message: "model.rope_parameters: engine portable does not support linear: use default, or engine=trainer",
    },
    {
      set: ["engine=portable", "model.type=qwen3", "model.pad_token_id=0"],
      message: "model.pad_token_id: engine portable does not support 0: omit it, or use engine=trainer",
    },
    {
      set: ["engine=portable", "model.type=qwen3", "model.norm=layernorm"],
      message: "model.norm: engine portable does not support layernorm: use native or rmsnorm, or engine=trainer",
    },
    {
      set: ["engine=portable", "model.type=qwen3", "model.use_sliding_window=true"],
      message: "model.use_sliding_window: engine portable does not support true: use false, or engine=trainer",
    },
    {
      set: ["engine=portable", "model.type=qwen3", 'model.layer_types=["full_attention","sliding_attention"]'],
      message: "model.layer_types: engine portable does not support sliding_attention: use full_attention, or engine=trainer",
    },
    {
      set: ["engine=portable", "training.optim=adafactor"],
      message: "training.optim: engine portable does not support adafactor: use adamw_torch or adamw_torch_fused, or engine=trainer",
    },
    {
      set: ["engine=portable", `training.compute_loss_func.code=${example}`, "training.compute_loss_func.function=penalised_loss"],
      message: "training.compute_loss_func: engine portable does not support penalised_loss: omit it, or use engine=trainer",
    },
    {
      set: ["engine=portable", "training.label_smoothing_factor=0.1"],
      message: "training.label_smoothing_factor: engine portable does not support 0.1: use 0, or engine=trainer",
    },
    {
      set: ["engine=portable", "training.neftune_noise_alpha=5"],
      message: "training.neftune_noise_alpha: engine portable does not support 5: omit it, or use engine=trainer",
    },
    {
      set: ["engine=portable", "training.torch_compile=true"],
      message: "training.torch_compile: engine portable does not support true: use false, or engine=trainer",
    },
    {
      set: ["engine=portable", "training.activation_checkpointing=true"],
      message: "training.activation_checkpointing: engine portable does not support true: use false, or engine=trainer",
    },
    {
      set: ["engine=portable", "model.dtype=float32"],
      message: "model.dtype: engine portable does not support float32: use bfloat16 or float32-master, or engine=trainer",
    },
    {
      set: ["engine=portable", "init.kind=python", `init.code=${example}`, "init.function=one_hot"],
      message: "init.kind: engine portable does not support python: use normal or singular or snowball or unit-noise or file, or engine=trainer",
    },
    { set: ["engine=portable", "training.bf16=false"], message: "training.bf16: engine portable does not support false: use true, or engine=trainer" },
    {
      set: ["engine=portable", "training.fp16_full_eval=true"],
      message: "training.fp16_full_eval: engine portable does not support true: use false, or engine=trainer",
    },
    {
      set: ["engine=portable", "training.lr_scheduler_type=cosine"],
      message:
        "training.lr_scheduler_type: engine portable does not support cosine: use constant or constant_with_warmup or linear or inverse_sqrt, or engine=trainer",
    },
    { set: ["engine=portable", "device=cuda"], message: "device: engine portable does not support cuda: use cpu or auto, or engine=trainer" },
  ],
  met: [
    ["engine=fast", "training.optim=adamw_torch", "training.torch_compile=false"],
    ["engine=portable", "model.dtype=float32-master", "init.kind=snowball", "training.lr_scheduler_type=inverse_sqrt", "device=cpu"],
  ],
});
