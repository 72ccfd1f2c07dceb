import { expect, test } from "vitest";
import { diffRunConfigs } from "../../../src/config/config-hash.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { defaultPreset, presetNames, presets } from "../../../src/config/presets.js";

const float32Start = { "init.kind": "unit-noise", "init.sigma": 1e-5, "init.noise_dtype": "float32" };
const everything = { "record.tensors": ["wte", "wte.grad", "wte.exp_avg", "wte.exp_avg_sq"] };

/** What another family changes of itself: it has other fields. */
function familyChanges(type: "qwen3" | "tinylm") {
  return diffRunConfigs(parseRunConfig({}), parseRunConfig({ model: { type } }));
}

// What each preset changes of the seed, from the notes on the research programme.
const expected = {
  "rmsnorm-11.2a": {},
  "layernorm-control": { "model.norm": "layernorm" },
  "jiggle-11.2b": { "model.norm": "layernorm", "noise.epsilon": 3e-5 },
  "snowball-11.2c": { "model.norm": "layernorm", "init.kind": "snowball", "init.sigma": 1e-5 },
  "f32-init-13.4a": { "model.norm": "layernorm", ...float32Start, "training.max_steps": 1000 },
  "f32-15.1a": { "model.norm": "layernorm", ...float32Start, ...everything },
  "bf16-15.1b": { "model.norm": "layernorm", ...float32Start, "init.noise_dtype": "bfloat16", ...everything },
  clean: {
    "data.label_shift": "causal",
    "training.lr_scheduler_type": "constant",
    "training.weight_decay": 0,
    "training.max_grad_norm": 0,
    ...everything,
  },
  "qwen3-singular": { ...Object.fromEntries(familyChanges("qwen3").map(({ path, after }) => [path, after])) },
  "crucible-1": {
    ...Object.fromEntries(familyChanges("tinylm").map(({ path, after }) => [path, after])),
    "model.vocab_size": 10_000,
    "init.kind": "normal",
    "data.train_tokenizer": "char-bpe",
    "data.windows": "chunks",
    "data.label_shift": "causal",
    "training.max_steps": 5000,
    "training.per_device_train_batch_size": 128,
    "training.dataloader_drop_last": true,
    "training.lr_scheduler_type": "constant",
    "training.weight_decay": 0,
    "training.decay_norms": "all",
    "training.max_grad_norm": 0,
    "training.optim": "adamw_torch",
    "record.rows": "dead",
  },
  quick: { "training.max_steps": 800 },
};

test("the presets are these, and the seed is the default", () => {
  expect(presetNames).toEqual(Object.keys(expected));
  expect(defaultPreset).toBe("rmsnorm-11.2a");
});

test.each(presetNames)("%s changes what it says, and nothing else", (name) => {
  const changes = diffRunConfigs(parseRunConfig({}), parseRunConfig(presets[name].input));
  expect(Object.fromEntries(changes.map(({ path, after }) => [path, after]))).toEqual(expected[name]);
});
