import { expect, test } from "vitest";
import { figureSchema, type Mark } from "../../../../src/figures/figure.js";
import { measuresByArm } from "../../../../src/figures/many/measures-by-arm.js";
import type { ExperimentDocument } from "../../../../src/sweep/experiment/experiment-document.js";
import { experimentVerdict } from "../../../../src/sweep/experiment/experiment-verdict.js";
import { pairedStatistics } from "../../../../src/sweep/experiment/paired-statistics.js";
import { evidenceOf } from "../../sweep/experiment/experiment-runs.js";

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
    label: "difference +1.500, p –",
    domain: [-0.5, 1.5],
    ticks: [
      { at: 0, text: "layernorm" },
      { at: 1, text: "rmsnorm" },
    ],
  });
});

test("a measure that no run has is left out, and scores are", () => {
  const titles = two.panels.map(({ title }) => title);
  expect(titles).toContain("deadC");
  expect(titles).not.toContain("C");
  expect(titles).not.toContain("score");
});

test("with three arms every one is drawn beside the control, and no panel claims one difference", () => {
  const three = figureOf({ layernorm: [run(2, 1)], rmsnorm: [run(3, 2)], other: [run(5, 4)] });
  const panel = three.panels.find(({ title }) => title === "C");
  expect(panel?.x.label).toBe("");
  expect(panel?.marks[0]).toMatchObject({ x2: [1, 2], y1: [1, 1], y2: [2, 4] });
});
