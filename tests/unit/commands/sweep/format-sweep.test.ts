import { expect, test } from "vitest";
import { formatCounts, formatExperiment, formatPreview, formatSweep } from "../../../../src/commands/sweep/format-sweep.js";
import { terminalColors } from "../../../../src/commands/terminal/terminal.js";
import type { ExperimentDocument } from "../../../../src/sweep/experiment/experiment-summary.js";
import { experimentVerdict } from "../../../../src/sweep/experiment/experiment-verdict.js";
import { pairedStatistics } from "../../../../src/sweep/experiment/paired-statistics.js";
import { type PlanCost, type SweepTrial, sweepDocument } from "../../../../src/sweep/sweep-document.js";
import { evidenceOf, times } from "../../sweep/experiment/experiment-runs.js";
import { sweepTrial } from "../../sweep/sweep-trial.js";

const plain = terminalColors(false);
const planned = (number: number): SweepTrial[] =>
  Array.from({ length: number }, (_, seed) => sweepTrial({ seed }, null, { status: "planned", run: null, result: null }));
const cost: PlanCost = { trials: 3, workers: 2, diskBytes: 3_000_000, freeBytes: 5e9, stepsPerSecond: 12.345, seconds: 185, memoryBytes: 9e8 };
const lastLine = (text: string) => text.split("\n").at(-1);

test("the statuses that there are, in the order of a trial's life", () => {
  const { counts } = sweepDocument("s", null, [...planned(1200), sweepTrial({}, 1), sweepTrial({}, 1, { status: "failed" })]);
  expect(formatCounts(counts, plain)).toBe("1,200 planned, 1 completed, 1 failed");
  expect(formatCounts(sweepDocument("s", null, []).counts, plain)).toBe("no trials");
});

test("a sweep: its counts, where it lies, and a row a point; what a screen cannot hold is counted", () => {
  const trials = Array.from({ length: 42 }, (_, at) => sweepTrial({ at, seed: 1 }, at));
  const lines = formatSweep(sweepDocument("sigma", `${process.cwd()}/sweeps/x`, trials), plain).split("\n");
  expect(lines.slice(0, 2)).toEqual(["sigma  42 trials: 42 completed", "sweeps/x"]);
  expect(lines[3]?.trim().split(/ {2,}/)).toEqual(["at", "n", "C", "P", "unique", "final loss", "displacement"]);
  expect(lines.filter((line) => /^ *\d+ +1 +1 +29 +100 /.test(line))).toHaveLength(40);
  expect(lines.slice(-2)).toEqual(["… and 2 more points in summary.md", "mean ± standard deviation over n seeds"]);
});

test("on a screen of 24 lines the points of a thousand trials leave room for the prompt", () => {
  const trials = Array.from({ length: 1000 }, (_, at) => sweepTrial({ at, seed: 1 }, at));
  const lines = formatSweep(sweepDocument("sigma", `${process.cwd()}/sweeps/x`, trials), plain, { height: 24 }).split("\n");
  expect(lines.length).toBeLessThan(24);
  expect(lines.filter((line) => /^ *\d+ +1 +1 +29 +/.test(line))).toHaveLength(14);
  expect(lines.at(-2)).toBe("… and 986 more points in summary.md");
});

test("a preview lists the trials with their status, and says what the rest will take", () => {
  const text = formatPreview({ ...sweepDocument("sigma", `${process.cwd()}/sweeps/x`, planned(3)), cost }, plain);
  expect(text).toContain("continues sweeps/x");
  expect(text).toMatch(/\{"seed":2\} {2}planned {2}seed=2\n/);
  expect(lastLine(text)).toBe("3 trials to train, 2 at a time: ≈ 3 min 05 s at 12.3 steps/s each, 3.00 MB of disk at most (5.00 GB free), 900 MB of memory");
});

test("a preview gives how many trials are trained together, and by how many workers", () => {
  const stacked = { ...cost, together: 8 };
  expect(lastLine(formatPreview({ ...sweepDocument("s", null, planned(3)), cost: stacked }, plain))).toBe(
    "3 trials to train, 8 at a time on 2 workers: ≈ 3 min 05 s at 12.3 steps/s each, 3.00 MB of disk at most (5.00 GB free), 900 MB of memory",
  );
  const unmeasured = { ...cost, together: 8, stepsPerSecond: null, seconds: null };
  expect(lastLine(formatPreview({ ...sweepDocument("s", null, planned(3)), cost: unmeasured }, plain))).toBe(
    "3 trials to train, 8 at a time on 2 workers: time unknown, as no such batch of runs was measured, 3.00 MB of disk at most (5.00 GB free)",
  );
});

test("what was not measured is not told, and a sweep with nothing left has no cost", () => {
  const unmeasured = { ...cost, stepsPerSecond: null, seconds: null };
  expect(lastLine(formatPreview({ ...sweepDocument("s", null, planned(3)), cost: unmeasured }, plain))).toBe(
    "3 trials to train, 2 at a time: 3.00 MB of disk at most (5.00 GB free)",
  );
  expect(lastLine(formatPreview({ ...sweepDocument("s", null, []), cost: { ...cost, trials: 0 } }, plain))).toBe("No trials left to train");
});

test("a preview of an experiment names the arm of each trial, and its points are the arms", () => {
  const runs = [sweepTrial({ "model.norm": "layernorm", seed: 1 }, 2, { arm: "layernorm" }), sweepTrial({ seed: 1 }, 3, { arm: "rmsnorm" })];
  const document = sweepDocument("norms", null, runs);
  const preview = formatPreview(document, plain).split("\n");
  expect(preview[2]?.split(/ {2,}/)).toEqual(["trial", "status", "arm", "sets"]);
  expect(preview.slice(3, 5).map((line) => line.split(/ {2,}/).slice(2))).toEqual([
    ["layernorm", "model.norm=layernorm seed=1"],
    ["rmsnorm", "seed=1"],
  ]);
  expect(
    formatSweep(document, plain)
      .split("\n")
      .slice(2, 5)
      .map((line) => line.trim().split(/ {2,}/)[0]),
  ).toEqual(["arm", "layernorm", "rmsnorm"]);
});

test("points that agree in their first field keep apart where a table is too wide for the terminal", () => {
  const sets = [3e-4, 1e-3].map((rate) => ({ "init.sigma": 1e-5, "training.learning_rate": rate, "training.adam_epsilon": 1e-8 }));
  const lines = formatSweep(
    sweepDocument(
      "rates",
      null,
      sets.map((set) => sweepTrial({ ...set, seed: 1 }, 2)),
    ),
    plain,
    { width: 80 },
  ).split("\n");
  expect(lines.every((line) => line.length <= 80)).toBe(true);
  expect(lines.filter((line) => line.includes("learning_rate=0.0003"))).toHaveLength(1);
  expect(lines.filter((line) => line.includes("learning_rate=0.001"))).toHaveLength(1);
});

const still = { score: "null", values: { deadC: 1, finalLoss: 2.5 } } as const;
const parted = { score: "positive", values: { deadC: 3, finalLoss: 2.25 } } as const;

function documentOf(arms: Parameters<typeof evidenceOf>[0], confounds: ExperimentDocument["confounds"] = []): ExperimentDocument {
  const evidence = evidenceOf(arms);
  const measures = pairedStatistics(evidence, ["finalLoss"]);
  return {
    schema: "bh-bridge/experiment@1",
    directory: `${process.cwd()}/experiments/x`,
    name: "norms",
    seeds: evidence.seeds,
    control: evidence.runs.filter(({ arm }) => arm === evidence.control),
    treatment: evidence.runs.filter(({ arm }) => arm !== evidence.control),
    measures,
    confounds,
    comparedTensors: [],
    traps: [],
    verdict: experimentVerdict(evidence, measures),
  };
}

/** The cells of the row of a measure. */
const row = (text: string, measure: string) => {
  const line = text.split("\n").find((each) => each.trimStart().startsWith(measure)) ?? "";
  return line.trim().split(/ {2,}/);
};

test("the verdict comes first in three lines, then a row for each measure, with the decisive one marked", () => {
  const text = formatExperiment(documentOf({ layernorm: times(8, still), rmsnorm: [still, ...times(7, parted)] }), plain);
  expect(text).toMatch(
    /^norms: positive {2}8 seeds\n {2}rmsnorm: positive: rmsnorm differs from layernorm in score\n {4}evidence: score .*\n {4}missing: nothing\n/,
  );
  expect(row(text, "measure")).toEqual(["measure", "layernorm", "rmsnorm", "difference", "p (corrected)"]);
  // 7 discordant pairs: p = 2 / 128 = 0.0156; it is corrected for the two measures that decide.
  expect(row(text, "score *")).toEqual(["score *", "0 ± 0 (8)", "0.875 ± 0.3536 (8)", "0.875 ± 0.3536 (8)", "0.016 (0.031)"]);
  expect(row(text, "finalLoss").slice(0, 4)).toEqual(["finalLoss", "2.5 ± 0 (8)", "2.281 ± 0.08839 (8)", "−0.2188 ± 0.08839 (8)"]);
  expect(text.split("\n").at(-1)).toBe("Rules, values by seed and confounds: experiments/x/summary.md");
});

test("of more than two arms every row names its own", () => {
  const text = formatExperiment(documentOf({ layernorm: times(3, still), rmsnorm: times(3, still), other: times(3, still) }), plain);
  expect(row(text, "measure").slice(0, 4)).toEqual(["measure", "layernorm", "arm", "mean"]);
  expect(
    text
      .split("\n")
      .filter((line) => line.includes("score *"))
      .map((line) => line.trim().split(/ {2,}/)[2]),
  ).toEqual(["rmsnorm", "other"]);
});

test("confounds are listed with what removes them, and a measure without a value in any run is left out", () => {
  const confound = { arm: "rmsnorm", what: "CPU threads", control: "1", treatment: "2", remove: "threads=1", seeds: [42] };
  const kept = { ...confound, what: "number of parameters", remove: null };
  const nameless = { score: "null", values: { deadC: 1 } } as const;
  const text = formatExperiment(documentOf({ layernorm: times(3, nameless), rmsnorm: times(3, nameless) }, [confound, kept]), plain);
  expect(text).toContain("Other differences between the arms\n  CPU threads. Removed by threads=1\n  number of parameters\n");
  expect(text).not.toContain("finalLoss");
});

test("on a narrow terminal no line of prose is wider than it", () => {
  const text = formatExperiment(documentOf({ layernorm: times(8, still), rmsnorm: times(8, parted) }), plain, 60);
  const prose = text.split("\n").filter((line) => !line.includes("summary.md"));
  expect(prose.filter((line) => line.length > 60)).toEqual([]);
});
