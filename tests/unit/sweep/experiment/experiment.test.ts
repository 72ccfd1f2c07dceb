import { expect, test } from "vitest";
import { Bridge } from "../../../../src/bridge/bridge.js";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import { resolvePython } from "../../../../src/python/require-packages.js";
import { concludeQuestion, initialTensors } from "../../../../src/sweep/experiment/experiment.js";
import { appliedRules, rulesSchema } from "../../../../src/sweep/experiment/rules.js";
import type { SweepTrial } from "../../../../src/sweep/sweep-document.js";
import { expectedFrom, python, temporaryDirectory } from "../../formats/reference-python.js";
import { tinyRun } from "./tiny-run.js";

const out = temporaryDirectory();

test("a trial that diverged is a run that cannot be scored; one that failed on its way is missing", async () => {
  const interpreter = await resolvePython({ python });
  await using bridge = await Bridge.startWith(interpreter, { threads: 1, device: "cpu" });
  const diverged = await tinyRun(bridge, out, { training: { learning_rate: 1e30, max_grad_norm: 0 } });
  const result: SweepTrial["result"] = {
    steps: 4,
    seconds: 1,
    finite: false,
    finalLoss: null,
    census: { rows: 128, unique: 128, C: 0, P: 0, populations: [] },
    displacement: { float64: null, float32: null, bfloat16: null },
    verdict: { result: "degenerate", reason: "" },
  };
  const rules = appliedRules(rulesSchema.parse({}));
  const cells = ["still", "fast"].map((arm) => ({ arm, seed: 42, trial: arm }));
  const conclude = concludeQuestion({ name: "speeds" }, { arms: ["still", "fast"], seeds: [42], rules, measures: [], cells }, interpreter);
  const trials: SweepTrial[] = [
    { trial: "still", status: "failed", run: null, set: {}, reason: "no", result: null },
    { trial: "fast", status: "failed", run: diverged, set: {}, reason: "not finite", result },
  ];
  const { document } = await conclude({ directory: out, trials, signal: AbortSignal.abort() });
  expect(document.control).toEqual([]);
  expect(document.treatment).toMatchObject([{ run: diverged, score: { result: "degenerate" } }]);
  expect(document.verdict).toMatchObject({ result: "degenerate", reason: expect.stringContaining("the runs of fast cannot be scored") });
});

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
