import { expect, test } from "vitest";
import { figureSchema, type Mark } from "../../../../src/figures/figure.js";
import { type ArmRun, armsOverSteps, experimentFigures, meanAndSpread, measuresByArm } from "../../../../src/figures/many/experiment-figures.js";
import { readExperiment } from "../../../../src/report/report-page.js";
import type { ExperimentDocument } from "../../../../src/sweep/experiment/experiment-summary.js";
import { experimentVerdict } from "../../../../src/sweep/experiment/experiment-verdict.js";
import { pairedStatistics } from "../../../../src/sweep/experiment/paired-statistics.js";
import { Ledger } from "../../../../src/sweep/ledger.js";
import { expectedFrom, temporaryDirectory } from "../../formats/reference-python.js";
import { writeExperiment } from "../../serve/written-experiment.js";
import { evidenceOf } from "../../sweep/experiment/experiment-runs.js";
import { sweepTrial } from "../../sweep/sweep-trial.js";

const runs = [
  { steps: [1, 2, 3], values: [1.5, 2, 7] },
  { steps: [1, 2, 3, 4], values: [2.5, 2, -1, 0] },
  { steps: [0, 1, 2, 3], values: [9, 8, 2, null] },
];

test("mean and spread are numpy's, at the steps that all have; a value that is missing leaves a gap", () => {
  const [mean, sd] = expectedFrom<[number[], number[]]>(
    "import json, numpy as np\nv = np.array([[1.5, 2], [2.5, 2], [8, 2]])\nprint(json.dumps([v.mean(0).tolist(), v.std(0, ddof=1).tolist()]))",
  );
  expect(meanAndSpread(runs)).toEqual({
    steps: [1, 2, 3],
    mean: [expect.closeTo(mean[0] ?? 0, 12), mean[1], null],
    low: [expect.closeTo((mean[0] ?? 0) - (sd[0] ?? 0), 12), mean[1], null],
    high: [expect.closeTo((mean[0] ?? 0) + (sd[0] ?? 0), 12), mean[1], null],
  });
});

test("every seed has its line, every arm its mean and band, and the legend says how many", () => {
  const source = { name: "run", hash: "0" };
  const arms: ArmRun[] = [
    { arm: "still", seed: 1, source, series: { loss: { steps: [1], values: [3] } } },
    { arm: "still", seed: 2, source, series: { loss: { steps: [1], values: [4] } } },
    { arm: "jiggle", seed: 1, source, series: { loss: { steps: [1], values: [5] } } },
  ];
  const { series, panels, caption } = armsOverSteps(["still", "jiggle"], arms);
  expect(series.map(({ name }) => name)).toEqual(["still (n = 2)", "jiggle (n = 1)"]);
  const marks = panels[0]?.marks ?? [];
  expect(marks.filter((mark) => mark.mark === "line" && mark.thin)).toHaveLength(3);
  expect(marks.filter(({ mark }) => mark === "band")).toHaveLength(1);
  expect(caption).toContain("Fewer than three seeds: still, jiggle");
});

function figureOf(arms: Parameters<typeof evidenceOf>[0], measures: readonly string[] = ["finalLoss", "C"]) {
  const evidence = evidenceOf(arms);
  const comparisons = pairedStatistics(evidence, measures);
  const document: ExperimentDocument = {
    ...{
      schema: "bh-bridge/experiment@1",
      directory: "",
      name: "norms",
      seeds: evidence.seeds,
      measures: comparisons,
      confounds: [],
      comparedTensors: [],
      traps: [],
    },
    control: evidence.runs.filter(({ arm }) => arm === evidence.control),
    treatment: evidence.runs.filter(({ arm }) => arm !== evidence.control),
    verdict: experimentVerdict(evidence, comparisons),
  };
  return figureSchema.parse(measuresByArm(document, []));
}

const run = (finalLoss: number | null, C: number | null = null) => ({ values: { deadC: 1, finalLoss, C } });
const dotsOf = (marks: readonly Mark[]) =>
  marks.flatMap((mark) => (mark.mark === "dots" ? [{ x: mark.x, y: mark.y, names: mark.names, isMean: mark.radius !== undefined }] : []));

const two = figureOf({ layernorm: [run(2), run(4), run(null)], rmsnorm: [run(3), run(6), run(9)] });
const loss = two.panels.find(({ title }) => title === "finalLoss");

test("every arm is a series that tells how many runs it has", () => {
  expect(two.series.map(({ name }) => name)).toEqual(["layernorm (n = 3)", "rmsnorm (n = 3)"]);
});

test("every seed is a dot with its name, and a mean stands beside those of its arm", () => {
  expect(dotsOf(loss?.marks ?? [])).toEqual([
    { x: [0, 0], y: [2, 4], names: ["seed 42: 2", "seed 43: 4"], isMean: false },
    { x: [1, 1, 1], y: [3, 6, 9], names: ["seed 42: 3", "seed 43: 6", "seed 44: 9"], isMean: false },
    { x: [0.12], y: [3], names: ["mean 3"], isMean: true },
    { x: [1.12], y: [6], names: ["mean 6"], isMean: true },
  ]);
});

test("a line joins the runs of one seed, where both have a value", () => {
  expect(loss?.marks[0]).toEqual({ mark: "links", series: 0, x1: [0, 0], y1: [2, 4], x2: [1, 1], y2: [3, 6] });
});

test("below a panel stand the mean difference and its p; the arms are the ticks", () => {
  // Differences 1 and 2: two pairs are too few for a test.
  expect(loss?.x).toMatchObject({
    label: "difference +1.5, p –",
    domain: [-0.5, 1.5],
    ticks: [
      { at: 0, text: "layernorm" },
      { at: 1, text: "rmsnorm" },
    ],
  });
});

test("a measure that no run has is left out; the score is drawn", () => {
  const titles = two.panels.map(({ title }) => title);
  expect(titles).toContain("deadC");
  expect(titles).not.toContain("C");
  expect(two.panels.find(({ title }) => title === "score")).toMatchObject({ y: { label: "score: 1 positive, 0 null" }, x: { label: "difference 0, p 1" } });
});

test("with three arms every one is drawn beside the control, with its difference and p below", () => {
  const three = figureOf({ layernorm: [run(2, 1)], rmsnorm: [run(3, 2)], other: [run(5, 4)] });
  const panel = three.panels.find(({ title }) => title === "C");
  expect(panel?.x.label).toBe("difference: rmsnorm +1, p –; other +3, p –"); // one pair has no p
  expect(panel?.marks[0]).toMatchObject({ x2: [1, 2], y1: [1, 1], y2: [2, 4] });
});

async function figuresOf(completed: readonly string[]) {
  const directory = writeExperiment(temporaryDirectory());
  {
    const { result } = sweepTrial({}, 2);
    using ledger = new Ledger(directory);
    for (const arm of completed) ledger.append({ trial: `trial-${arm}`, status: "completed", run: `runs/${arm}`, ...(result && { result }) });
  }
  return (await experimentFigures(await readExperiment(directory, { workers: 0 }), { workers: 0 })).map((figure) => figureSchema.parse(figure));
}

test("an experiment has its arms over the steps, and its measures arm by arm, of the runs that there are", async () => {
  const figures = await figuresOf(["plain", "scaled"]);
  expect(figures.map(({ name }) => name)).toEqual(["forest", "verdicts", "arms", "measures", "forest-others"]);
  const [verdicts, overSteps, measures] = figures.slice(1);
  expect([verdicts?.panels.map(({ title }) => title), verdicts?.columns]).toEqual([["plain, seed 1", "scaled, seed 2"], 4]);
  expect(overSteps?.series.map(({ name }) => name)).toEqual(["plain (n = 1)", "scaled (n = 1)"]);
  expect(measures?.sources.map(({ name }) => name)).toEqual(["run of plain", "run of scaled"]);
  expect((await figuresOf(["scaled"])).find(({ name }) => name === "arms")?.series.map(({ name }) => name)).toEqual(["scaled (n = 1)"]);
});

test("before a run is complete there is nothing to show", async () => expect(await figuresOf([])).toEqual([]));
