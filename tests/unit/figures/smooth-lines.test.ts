import { expect, test } from "vitest";
import type { Mark, Panel } from "../../../src/figures/figure.js";
import { axis, stepAxis } from "../../../src/figures/panels.js";
import { smoothLines } from "../../../src/figures/reduce-figure.js";
import { expectedFrom } from "../formats/reference-python.js";

const y = Array.from({ length: 2000 }, (_, step) => 2 + Math.sin(step * step));
const line: Mark = { mark: "line", series: 0, x: y.map((_, step) => step + 1), y, curve: "straight" };
const panel = (marks: readonly Mark[], x = stepAxis()): Panel => ({ title: "", x, y: axis("loss"), equal: false, marks });

test("a line over the steps is smoothed from all its points, as numpy does it, and then thinned", () => {
  const [[found] = []] = smoothLines({ panels: [panel([line])] });
  // A hundredth of 2,000 points: weight 1 − 1/20.
  const program = `
import json, sys, numpy
y = 2 + numpy.sin(numpy.arange(2000.0) ** 2)
out = []
for end in json.loads(sys.argv[1]):
    weights = 0.95 ** numpy.arange(end)[::-1]
    out.append(float((weights * y[:end]).sum() / weights.sum()))
print(json.dumps(out))`;
  const expected = expectedFrom<number[]>(program, JSON.stringify(found?.x));
  expect(found?.x.length).toBeGreaterThan(200);
  expect(found?.x.length).toBeLessThanOrEqual(300);
  for (const [index, value] of (found?.y ?? []).entries()) expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 9);
});

test("staircases, lines behind others, short lines and other axes are left as they are", () => {
  const others: Mark[] = [
    { ...line, curve: "step" },
    { ...line, thin: true },
    { ...line, x: [1, 2], y: [1, 2] },
    { mark: "rule", axis: "y", at: 1, text: "" },
  ];
  expect(smoothLines({ panels: [panel(others), panel([line], axis("rank"))] })).toEqual([[null, null, null, null], [null]]);
});
