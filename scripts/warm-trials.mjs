// Random small trials that vary every part of a configuration, for warm-test.mjs.
import { resolveRunConfig } from "../dist/config/resolve-run-config.js";

/** Draws a valid trial; one in eight diverges to weights that are not finite. */
export async function drawTrial(random, corpora) {
  for (;;) {
    try {
      return await resolveRunConfig({ input: inputOf(random, corpora) });
    } catch (error) {
      if (error.code !== "CONFIG_INVALID") throw error; // rules over several fields: draw again
    }
  }
}

function inputOf(random, corpora) {
  const pick = (...items) => items[Math.floor(random() * items.length)];
  const dtype = pick("bfloat16", "float32", "float32-master");
  const evaluates = pick(true, false);
  const diverges = random() < 1 / 8;
  const dropout = pick(0, 0.1);
  return {
    seed: pick(1, 2, 3),
    engine: pick("trainer", "trainer", "portable"),
    threads: random() < 1 / 12 ? 2 : 1,
    device: "cpu",
    data: { corpus: pick(...corpora), held_out: evaluates ? 0.2 : 0, label_shift: pick("double", "causal") },
    model: {
      norm: pick("rmsnorm", "layernorm"),
      dtype,
      vocab_size: pick(64, 97, 128, 256),
      n_embd: pick(8, 16),
      n_layer: pick(1, 2),
      n_head: pick(1, 2),
      n_positions: pick(8, 16, 32),
      resid_pdrop: dropout,
      attn_pdrop: dropout,
      tie_word_embeddings: pick(true, true, false),
    },
    init: pick({ kind: "singular" }, { kind: "normal" }, { kind: "snowball", sigma: 1e-4 }, { kind: "unit-noise", noise_dtype: "bfloat16" }),
    noise: { epsilon: pick(0, 0, 3e-5) },
    training: {
      max_steps: 5 + Math.floor(random() * 20),
      per_device_train_batch_size: pick(2, 4, 8),
      gradient_accumulation_steps: pick(1, 1, 2),
      train_sampling_strategy: pick("random", "random", "sequential"),
      lr_scheduler_type: pick("linear", "constant", "cosine"),
      optim: pick("adamw_torch_fused", "adamw_torch_fused", "adamw_torch", "adafactor", "sgd"),
      optimizer_state_dtype: pick("model", "float32"),
      bf16: pick(true, false),
      logging_steps: pick(3, 5),
      ...(evaluates && { eval_strategy: "steps", eval_steps: 4 }),
      ...(diverges && { learning_rate: 1e30, max_grad_norm: 0 }),
    },
    record: { every: pick(1, 1, 3), tensors: pick(["wte"], ["wte", "wte.grad", "wte.exp_avg", "wte.exp_avg_sq"]) },
    checkpoint: { every: pick(4, 7) },
  };
}
