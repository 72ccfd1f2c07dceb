import { expect, test } from "vitest";
import { formatExperiment } from "../../../../src/commands/experiment/format-experiment.js";
import { terminalColors } from "../../../../src/commands/terminal/terminal-text.js";
import type { ExperimentDocument } from "../../../../src/sweep/experiment/experiment-document.js";
import { experimentVerdict } from "../../../../src/sweep/experiment/experiment-verdict.js";
import { pairedStatistics } from "../../../../src/sweep/experiment/paired-statistics.js";
import { evidenceOf, times } from "../../sweep/experiment/experiment-runs.js";

const plain = terminalColors(false);
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

test("the verdict comes first with its reason, then a row for each measure, with the decisive one marked", () => {
  const text = formatExperiment(documentOf({ layernorm: times(8, still), rmsnorm: [still, ...times(7, parted)] }), plain);
  expect(text).toMatch(/^norms: positive {2}8 seeds\n {2}\S/);
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
  expect(text).toContain("What else differs\n  CPU threads. Removed by threads=1\n  number of parameters\n");
  expect(text).not.toContain("finalLoss");
});

test("on a narrow terminal no line of prose is wider than it", () => {
  const text = formatExperiment(documentOf({ layernorm: times(8, still), rmsnorm: times(8, parted) }), plain, 60);
  const prose = text.split("\n").filter((line) => !line.includes("summary.md"));
  expect(prose.filter((line) => line.length > 60)).toEqual([]);
});
