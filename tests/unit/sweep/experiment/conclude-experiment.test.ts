import { cpSync, rmSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Bridge } from "../../../../src/bridge/bridge.js";
import { concludeExperiment } from "../../../../src/sweep/experiment/conclude-experiment.js";
import { initialTensors } from "../../../../src/sweep/experiment/experiment.js";
import { type ExperimentDocument, experimentDocumentSchema, experimentSummary } from "../../../../src/sweep/experiment/experiment-summary.js";
import { defaultMeasures } from "../../../../src/sweep/experiment/measures.js";
import { appliedRules, rulesSchema } from "../../../../src/sweep/experiment/rules.js";
import { python, temporaryDirectory } from "../../formats/reference-python.js";
import { tinyRun } from "./tiny-run.js";

const out = temporaryDirectory();
const seeds = [42, 43, 44];
const arms = ["layernorm", "rmsnorm"] as const;
const measures = ["deadC@0", "geometry.pathLength"];
let document: ExperimentDocument;
let twoSettings = "";
let runs: { arm: string; directory: string }[] = [];

beforeAll(async () => {
  await using bridge = await Bridge.start({ python, threads: 1, device: "cpu" });
  for (const norm of arms) {
    for (const seed of seeds) runs = [...runs, { arm: norm, directory: await tinyRun(bridge, out, { norm, seed }) }];
  }
  twoSettings = await tinyRun(bridge, out, { training: { learning_rate: 1e-4 } });
  const ended = { directory: out, name: "norms", arms, seeds, rules: appliedRules(rulesSchema.parse({})), measures, runs };
  document = await concludeExperiment(ended, { initialTensors: (config) => initialTensors(bridge, config) });
});

test("the runs are those of the arms, in their order", () => {
  const found = [...document.control, ...document.treatment];
  expect(found.map(({ arm, seed, run }) => [arm, seed, run])).toEqual(runs.map(({ arm, directory }, at) => [arm, seeds[at % 3], directory]));
});

test("the document keeps to its schema, and says what its runs say", () => {
  expect(experimentDocumentSchema.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
  expect(document).toMatchObject({ schema: "bh-bridge/experiment@1", directory: out, name: "norms", seeds });
  expect(document.measures.map(({ measure }) => measure)).toEqual([...new Set(["score", "deadC", ...measures, ...defaultMeasures])]);
  expect(document.control.map(({ score }) => score.result)).toEqual(["null", "null", "null"]);
  expect(document.verdict).toMatchObject({ arms: [{ arm: "rmsnorm" }], rulesHash: expect.stringMatching(/^[0-9a-f]{64}$/) });
});

test("four steps split no dead tokens, which three seeds cannot turn into null", () => {
  expect(document.verdict.result).toBe("inconclusive");
  expect(document.verdict.reason).toContain("3 pairs without a split cannot rule out a true rate of 63 %; 6 more"); // 1 − 0.05^(1/3) = 0.632
  expect(document.verdict.notes).toBeUndefined();
});

test("confounds are found in the files: the norms' weight decay and biases, and nothing else between runs of one process", () => {
  expect(document.confounds.map(({ arm, what, remove, seeds: of }) => [arm, what.split(/[(:]/)[0], remove, of])).toEqual([
    ["rmsnorm", "weight decay of the norms' weights ", "training.decay_norms=never or training.decay_norms=always", seeds],
    ["rmsnorm", "number of parameters", null, seeds],
  ]);
  expect(document.traps.map(({ corrected }) => corrected)).toContain("data.label_shift=causal");
});

test("an arm that changes two settings says so beside its verdict", async () => {
  const rules = appliedRules(rulesSchema.parse({}));
  const both = [runs[0], { arm: "both", directory: twoSettings }].filter((run) => run !== undefined);
  const { verdict } = await concludeExperiment({ directory: out, name: "norms", arms: ["layernorm", "both"], seeds: [42], rules, runs: both });
  expect(verdict.arms[0]?.notes).toEqual(["both changes 2 settings (model.norm, training.learning_rate): the verdict cannot be attributed to one of them"]);
});

test("all tensors that both norms have were compared before the first step; without a Python, the recorded embedding", async () => {
  const expected = [
    ...["wte.weight", "wpe.weight", "h.0.ln_1.weight", "h.0.attn.c_attn.weight", "h.0.attn.c_attn.bias", "h.0.attn.c_proj.weight", "h.0.attn.c_proj.bias"],
    ...["h.0.ln_2.weight", "h.0.mlp.c_fc.weight", "h.0.mlp.c_fc.bias", "h.0.mlp.c_proj.weight", "h.0.mlp.c_proj.bias", "ln_f.weight"],
  ];
  expect(document.comparedTensors).toEqual(expected.map((name) => `transformer.${name}`));
  const rules = appliedRules(rulesSchema.parse({}));
  const { comparedTensors } = await concludeExperiment({ directory: out, name: "norms", arms, seeds, rules, runs });
  expect(comparedTensors).toEqual(["transformer.wte.weight"]);
});

test("a run that has not ended yet is missing, and the verdict waits for it", async () => {
  const rules = appliedRules(rulesSchema.parse({}));
  const partly = await concludeExperiment({ directory: out, name: "norms", arms, seeds, rules, runs: runs.slice(0, 5) });
  expect(partly.verdict).toMatchObject({ result: "inconclusive", reason: "rmsnorm lacks 1 run (seed 44): the rules apply to the complete plan" });
});

describe("runs that are no evidence of their own are refused", () => {
  const rules = appliedRules(rulesSchema.parse({}));
  const concluded = (listed: typeof runs, planned: readonly number[] = seeds) =>
    concludeExperiment({ directory: out, name: "norms", arms, seeds: planned, rules, runs: listed });
  const refusal = (message: RegExp, path = "runs.6") => ({ code: "CONFIG_INVALID", issues: [{ path, message: expect.stringMatching(message) }] });
  const directoryOf = (at: number) => runs[at]?.directory ?? "";

  test("a directory twice in an arm, also by a link to it", async () => {
    await expect(concluded([...runs, { arm: "layernorm", directory: directoryOf(0) }])).rejects.toMatchObject(refusal(/is listed twice in arm layernorm/));
    const link = join(out, "link");
    symlinkSync(directoryOf(0), link);
    await expect(concluded([...runs, { arm: "layernorm", directory: link }])).rejects.toMatchObject(refusal(/is listed twice in arm layernorm/));
    rmSync(link);
  });

  test("a directory in two arms", async () => {
    const shared = [...runs.slice(0, 3), { arm: "rmsnorm", directory: directoryOf(0) }];
    await expect(concluded(shared)).rejects.toMatchObject(refusal(/is listed in arm layernorm and in arm rmsnorm/, "runs.3"));
  });

  test("a copy of a run: in its arm it repeats a seed, in another arm the training", async () => {
    const copy = join(out, "copy");
    cpSync(directoryOf(0), copy, { recursive: true });
    await expect(concluded([...runs, { arm: "layernorm", directory: copy }])).rejects.toMatchObject(
      refusal(/has seed 42, as another run of arm layernorm has/),
    );
    const paired = [...runs.slice(0, 3), { arm: "rmsnorm", directory: copy }];
    await expect(concluded(paired)).rejects.toMatchObject(refusal(/repeats the training of .*arms layernorm and rmsnorm must differ/, "runs.3"));
    rmSync(copy, { recursive: true });
  });

  test("a run of a seed or an arm that was not planned, and a plan that repeats itself", async () => {
    const unplanned = [2, 5].map((at) => ({ path: `runs.${at}`, message: expect.stringContaining("has seed 44, which is not planned: the seeds are 42, 43") }));
    await expect(concluded(runs, [42, 43])).rejects.toMatchObject({ code: "CONFIG_INVALID", issues: unplanned });
    await expect(concluded([...runs, { arm: "none", directory: directoryOf(0) }])).rejects.toMatchObject(
      refusal(/belongs to arm "none", which is not planned/),
    );
    await expect(concluded(runs, [42, 42, 43, 44])).rejects.toMatchObject(refusal(/lists 42 more than once/, "seeds"));
  });
});

describe("the summary", () => {
  test("has n and spread beside every mean, the hash of the rules, and what removes each confound", () => {
    const summary = experimentSummary(document);
    expect(summary).toMatch(/^# norms: inconclusive\n/);
    expect(summary).toContain(`SHA-256 \`${document.verdict.rulesHash}\``);
    expect(summary).toContain("`training.decay_norms=never or training.decay_norms=always`");
    expect(summary).toContain("| **deadC** (margin 0.5) | 1 ± 0 (3) | 1 ± 0 (3) | 0 ± 0 (3) | 0 to 0 | – | – | 1 (sign-flip and Hall) | 1 |");
    for (const { run } of [...document.control, ...document.treatment]) expect(summary).toContain(basename(run));
  });
});
