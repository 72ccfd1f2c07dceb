import { expect, test } from "vitest";
import { type ExperimentDocument, experimentSummary } from "../../../../src/sweep/experiment/experiment-summary.js";
import { experimentVerdict } from "../../../../src/sweep/experiment/experiment-verdict.js";
import { pairedStatistics } from "../../../../src/sweep/experiment/paired-statistics.js";
import { evidenceOf, times } from "./experiment-runs.js";

function documentOf(arms: Parameters<typeof evidenceOf>[0], confounds: ExperimentDocument["confounds"] = []): ExperimentDocument {
  const evidence = evidenceOf(arms);
  const measures = pairedStatistics(evidence, ["finalLoss"]);
  return {
    schema: "bh-bridge/experiment@1",
    directory: "experiments/x",
    name: "norms",
    seeds: evidence.seeds,
    control: evidence.runs.filter(({ arm }) => arm === evidence.control),
    treatment: evidence.runs.filter(({ arm }) => arm !== evidence.control),
    measures,
    confounds,
    comparedTensors: ["transformer.wte.weight"],
    traps: [{ what: "labels are shifted twice", corrected: "data.label_shift=causal" }],
    verdict: experimentVerdict(evidence, measures),
  };
}

const still = { score: "null", values: { deadC: 1, finalLoss: 2.5 } } as const;
const parted = { score: "positive", values: { deadC: 3, finalLoss: 2.25 } } as const;

test("a table has mean, spread and n of both arms, the paired difference with both intervals, and p", () => {
  const lines = experimentSummary(documentOf({ layernorm: times(8, still), rmsnorm: [still, ...times(7, parted)] })).split("\n");
  // 7 discordant pairs: p = 2 / 128 = 0.0156, and twice that.
  expect(lines.find((line) => line.startsWith("| **score**"))).toMatch(
    /^\| \*\*score\*\* \(margin 0\) \| 0 ± 0 \(8\) \| 0\.875 ± 0\.3536 \(8\) \| 0\.875 ± 0\.3536 \(8\); discordant 7 : 0 \|.*\| 0\.016 \(McNemar\) \| 0\.031 \|$/,
  );
  expect(lines.find((line) => line.startsWith("| finalLoss | 2.5"))).toMatch(
    /^\| finalLoss \| 2\.5 ± 0 \(8\) \| 2\.281 ± 0\.08839 \(8\) \| −0\.2188 ± 0\.08839 \(8\) \|.*\| 0\.016 \(sign-flip and Hall\) \| {2}\|$/,
  );
  expect(lines).toContain("| finalLoss | rmsnorm | 2.5 | 2.25 | 2.25 | 2.25 | 2.25 | 2.25 | 2.25 | 2.25 |");
});

test("runs are named by their paths in the experiment's directory", () => {
  const document = documentOf({ layernorm: times(3, still), rmsnorm: times(3, still) });
  const control = document.control.map((each) => ({ ...each, run: "/home/ada/experiments/x/runs/a" }));
  const summary = experimentSummary({ ...document, directory: "/home/ada/experiments/x", control });
  expect(summary).toContain("| `runs/a` |");
  expect(summary).not.toContain("/home");
});

test("confounds stand with the option that removes each, and with their seeds where they are not of all pairs", () => {
  const confound = { arm: "rmsnorm", what: "CPU threads", control: "1", treatment: "2", remove: "threads", seeds: [42] };
  const kept = { arm: "rmsnorm", what: "number of parameters", control: "116,480", treatment: "116,160", remove: null, seeds: [42, 43, 44] };
  const summary = experimentSummary(documentOf({ layernorm: times(3, still), rmsnorm: times(3, still) }, [confound, kept]));
  expect(summary).toContain("| rmsnorm | CPU threads (seed 42) | 1 | 2 | `threads` |");
  expect(summary).toContain("| rmsnorm | number of parameters | 116,480 | 116,160 | no option |");
  expect(summary).toContain("the values of 1 tensor before the first step (transformer.wte.weight)");
  expect(summary).toContain("- labels are shifted twice. Corrected by `data.label_shift=causal`");
});

test("a sequential experiment that stopped early lists the seeds that were trained, of those planned", () => {
  const kept = { arm: "rmsnorm", what: "number of parameters", control: "116,480", treatment: "116,160", remove: null, seeds: [42, 43, 44] };
  const document = documentOf({ layernorm: times(3, still), rmsnorm: times(3, parted) }, [kept]);
  const seeds = Array.from({ length: 40 }, (_, at) => 42 + at);
  const arm = { arm: "rmsnorm", pairs: 3, state: "decided", result: "positive", decidedAt: 3, measures: [] } as const;
  const summary = experimentSummary({ ...document, seeds, sequential: { maximum: 40, threshold: 20, arms: [arm] } });
  expect(summary).toContain("Seeds: 3 of at most 40: 42, 43, 44.");
  expect(summary).toContain("| measure | arm | 42 | 43 | 44 |\n");
  expect(summary, "of all trained pairs").toContain("| rmsnorm | number of parameters | 116,480 | 116,160 | no option |");
  expect(experimentSummary({ ...document, seeds }), "with fixed seeds, what is missing is seen").toContain("| 44 | 45 | 46 |");
});

test("every treatment has its own table and its own verdict", () => {
  const summary = experimentSummary(documentOf({ layernorm: times(9, still), rmsnorm: times(9, parted), other: times(9, still) }));
  expect(summary).toContain("## rmsnorm against layernorm");
  expect(summary).toContain("## other against layernorm");
  expect(summary).toContain(
    "- **other**: null: other does not differ from layernorm\n  - evidence: score positive in 0 of 9 runs, layernorm in 0 of 9 (corrected p 1); deadC 0 (−0.2831 to 0.2831, margin 0.5, corrected p 1)\n  - missing: nothing",
  );
});
