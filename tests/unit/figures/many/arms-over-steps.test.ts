import { expect, test } from "vitest";
import { type ArmRun, armsOverSteps, meanAndSpread } from "../../../../src/figures/many/arms-over-steps.js";
import { expectedFrom } from "../../formats/reference-python.js";

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
    { arm: "still", source, series: { loss: { steps: [1], values: [3] } } },
    { arm: "still", source, series: { loss: { steps: [1], values: [4] } } },
    { arm: "jiggle", source, series: { loss: { steps: [1], values: [5] } } },
  ];
  const { series, panels, caption } = armsOverSteps(["still", "jiggle"], arms);
  expect(series.map(({ name }) => name)).toEqual(["still (n = 2)", "jiggle (n = 1)"]);
  const marks = panels[0]?.marks ?? [];
  expect(marks.filter((mark) => mark.mark === "line" && mark.thin)).toHaveLength(3);
  expect(marks.filter(({ mark }) => mark === "band")).toHaveLength(1);
  expect(caption).toContain("Fewer than three seeds: still, jiggle");
});
