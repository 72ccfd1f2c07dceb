import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sweepDocumentSchema } from "../../src/sweep/sweep-document.js";
import { expectedFrom } from "../unit/formats/reference-python.js";
import { hasPackage, run, temporaryFolder } from "./program.js";

/** Exported steps in TransformerLens, tried with 4.3.0: the class of docs/cookbook/transformer-lens.md is that of the program below. */
const program = `
import json, os, sys
os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from transformer_lens.factories.architecture_adapter_factory import ArchitectureAdapterFactory
from transformer_lens.model_bridge.sources import build_bridge_from_module
from transformer_lens.model_bridge.supported_architectures import GPT2ArchitectureAdapter
from transformers import AutoModelForCausalLM

class GPT2RMSNorm(GPT2ArchitectureAdapter):
    def __init__(self, cfg):
        super().__init__(cfg)
        cfg.normalization_type, cfg.uses_rms_norm, cfg.final_rms = "RMS", True, True

ArchitectureAdapterFactory.register_adapter("GPT2RMSNormLMHeadModel", GPT2RMSNorm)
tokens = torch.tensor([list(b"It was the best of times"[:16])])
found = []
for folder in sys.argv[1:]:
    load = lambda: AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True, dtype=torch.float32)
    plain = load()
    expected = plain(tokens).logits.detach()
    attention = load()
    attention.set_attn_implementation("eager")
    patterns = attention(tokens, output_attentions=True).attentions
    norms = [parameter for name, parameter in plain.named_parameters() if "norm" in name or ".ln_" in name]
    lens = build_bridge_from_module(load(), plain.config.architectures[0], hf_config=plain.config)
    logits, cache = lens.run_with_cache(tokens)
    folded = build_bridge_from_module(load(), plain.config.architectures[0], hf_config=plain.config)
    folded.enable_compatibility_mode(disable_warnings=True)
    found.append({
        "norm": lens.cfg.normalization_type,
        "movedNorms": min(float((weight - weight.flatten()[0]).abs().max()) for weight in norms),
        "logits": float((logits - expected).abs().max()),
        "argmax": bool(torch.equal(logits.argmax(-1), expected.argmax(-1))),
        "patterns": max(float((cache[f"blocks.{i}.attn.hook_pattern"] - pattern).abs().max()) for i, pattern in enumerate(patterns)),
        "probabilities": float((folded(tokens).log_softmax(-1) - expected.log_softmax(-1)).abs().max()),
        "rows": float((lens.W_E - plain.get_input_embeddings().weight).abs().max()),
    })
print(json.dumps(found))`;

describe.skipIf(!hasPackage("transformer_lens"))("TransformerLens", () => {
  const folder = temporaryFolder();
  afterAll(() => folder[Symbol.dispose]());
  const folders: string[] = [];

  beforeAll(async () => {
    const gpt2 = { n_embd: 16, n_layer: 2, n_head: 2, n_positions: 16, dtype: "float32" };
    const sizes = { vocab_size: 128, hidden_size: 16, intermediate_size: 32, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2 };
    const models = [
      { ...gpt2, norm: "layernorm" },
      { ...gpt2, norm: "rmsnorm" },
      { ...sizes, type: "llama", max_position_embeddings: 16, dtype: "float32" },
    ];
    const training = { max_steps: 12, per_device_train_batch_size: 4, learning_rate: 1e-2, bf16: false };
    const sweep = join(folder.path, "models.json");
    writeFileSync(sweep, JSON.stringify({ base: { device: "cpu", threads: 1, training }, cases: models.map((model) => ({ model })) }));
    const trained = await run(["sweep", sweep, "--workers", "1", "--out", join(folder.path, "sweeps"), "--json"]);
    expect(trained.exitCode, trained.stderr).toBe(0);
    for (const { run: directory } of sweepDocumentSchema.parse(JSON.parse(trained.stdout)).trials) {
      const out = join(folder.path, `model-${folders.length}`);
      const exported = await run(["export", directory ?? "", "--to", "hf", "--step", "7", "--out", out]);
      expect(exported.exitCode, exported.stderr).toBe(0);
      folders.push(out);
    }
  }, 240_000);

  test("an exported step of a GPT-2 with either norm and of a Llama has the logits and attention of transformers", () => {
    const found = expectedFrom<Record<string, number | string | boolean>[]>(program, ...folders);
    expect(found.map(({ norm }) => norm)).toEqual(["LN", "RMS", "RMS"]);
    for (const { norm, argmax, movedNorms, rows, ...differences } of found) {
      expect([argmax, rows], String(norm)).toEqual([true, 0]);
      expect(movedNorms, "weights of norms that differ from each other").toBeGreaterThan(1e-3);
      for (const [what, largest] of Object.entries(differences)) expect(largest, `${norm}: ${what}`).toBeLessThan(2e-5);
    }
  });
});
