import { expect, test } from "vitest";
import { Bridge } from "../../../../src/bridge/bridge.js";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import { initialTensors } from "../../../../src/sweep/experiment/initial-tensors.js";
import { expectedFrom, python } from "../../formats/reference-python.js";

/** transformers' own GPT-2 from a seed, in bfloat16, and one random unit vector in every row of its embedding. */
const program = `
import sys, json, hashlib, torch
from transformers import GPT2Config, GPT2LMHeadModel
torch.manual_seed(int(sys.argv[1]))
model = GPT2LMHeadModel(GPT2Config(vocab_size=128, n_positions=16, n_embd=8, n_layer=1, n_head=2, bos_token_id=None, eos_token_id=None)).to(torch.bfloat16)
row = torch.randn(8)
model.transformer.wte.weight.data[:] = row / row.norm()
print(json.dumps({name: hashlib.sha256(each.detach().view(torch.int16).numpy().tobytes()).hexdigest() for name, each in model.named_parameters()}))
`;

test("hashes are those of transformers' own model from the same seed, each time; RMSNorm draws the same numbers and has no biases", async () => {
  await using bridge = await Bridge.start({ python, threads: 1, device: "cpu" });
  const configOf = (norm: string, seed: number) => parseRunConfig({ seed, model: { norm, n_positions: 16, n_embd: 8, n_layer: 1, n_head: 2 } });
  const expected = expectedFrom<Record<string, string>>(program, "7");
  expect(await initialTensors(bridge, configOf("layernorm", 7))).toEqual(expected);
  const withoutBiases = Object.fromEntries(Object.entries(expected).filter(([name]) => !/ln_.*\.bias$/.test(name)));
  expect(await initialTensors(bridge, configOf("rmsnorm", 7))).toEqual(withoutBiases);
  expect((await initialTensors(bridge, configOf("layernorm", 8)))["transformer.wte.weight"]).not.toBe(expected["transformer.wte.weight"]);
});
