import { expect, test } from "vitest";
import { analyze } from "../../../../src/analysis/analyze.js";
import { observation, rowNormsAnalysis } from "../../../../src/analysis/row-norms/row-norms.js";
import { seriesFigures } from "../../../../src/figures/run-figures.js";
import type { History } from "../../../../src/formats/history.js";
import { MeasuredStates } from "../../../../src/serve/state-measures.js";
import { figureOf, linesOf } from "../../figures/run-of-states.js";
import { expectedFrom } from "../../formats/reference-python.js";
import { memoryHistory } from "../memory-source.js";
import { observed } from "../scan/observed.js";

/** The norms of random float32 rows by numpy, in float64. */
const cases = expectedFrom(`
import json, numpy as np
random = np.random.default_rng(5)
found = []
for shape in ((4, 7, 5), (3, 8, 1), (2, 1, 3)):
    W = (random.standard_normal(shape) * 10.0 ** random.integers(-3, 3, shape)).astype(np.float32)
    norms = np.linalg.norm(W.astype(np.float64), axis=2)
    found.append({"shape": shape, "values": W.ravel().tolist(), "min": norms.min(1).tolist(), "median": np.median(norms, axis=1).tolist(), "max": norms.max(1).tolist()})
print(json.dumps(found))`) as { shape: [number, number, number]; values: number[]; min: number[]; median: number[]; max: number[] }[];

const historyOf = (shape: [number, number, number], values: readonly number[]): History =>
  memoryHistory("F32", shape, new Uint8Array(Float32Array.from(values).buffer));
/** Equal but for the last digits, which depend on the order of a sum. */
const near = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 12 - Math.ceil(Math.log10(value))));

test.each(cases)("the smallest, the median and the largest norm of the rows of each state are numpy's: $shape", async ({ shape, values, min, median, max }) => {
  const history = historyOf(shape, values);
  const { rowNorms, notes } = await analyze(history, { only: ["rowNorms"] });
  expect(rowNorms).toEqual({ min: near(min), median: near(median), max: near(max) });
  expect(rowNormsAnalysis.schema.parse(rowNorms)).toEqual(rowNorms);
  expect(notes).toEqual([]);
  const { places } = await new MeasuredStates().of(async () => history, true);
  expect(places).toMatchObject({ minNorm: near(min), medianNorm: near(median), maxNorm: near(max) });
});

test("ranges that are read by different threads report what one range does", () => {
  for (const { shape, values } of cases) {
    const history = historyOf(shape, values);
    const whole = observed(observation, history, 0, shape[0]);
    expect(observation.merge(observed(observation, history, 0, 1), observed(observation, history, 1, shape[0]))).toEqual(whole);
  }
});

test("a state with a row that is not finite has no norms, and the figure a gap", async () => {
  const states = [
    [
      [3, 4],
      [0, 1],
      [0, 0],
    ],
    [
      [Number.NaN, 0],
      [0, 1],
      [0, 0],
    ],
    [
      [0, 2],
      [Number.POSITIVE_INFINITY, 1],
      [0, 0],
    ],
  ];
  const { rowNorms } = await analyze(historyOf([3, 3, 2], states.flat(2)), { only: ["rowNorms"] });
  expect(rowNorms).toEqual({ min: [0, null, null], median: [1, null, null], max: [5, null, null] });
  expect(linesOf(await figureOf(seriesFigures["row-norms"], { states }))).toEqual({
    "largest norm": [
      [0, 1, 2],
      [5, null, null],
    ],
    "median norm": [
      [0, 1, 2],
      [1, null, null],
    ],
    "smallest norm": [
      [0, 1, 2],
      [0, null, null],
    ],
  });
});

test("it is printed step by step, and is no part of a default document", async () => {
  const history = historyOf([2, 2, 1], [3, 1, 5, 2]);
  const { rowNorms } = await analyze(history, { only: ["rowNorms"] });
  expect(rowNorms && rowNormsAnalysis.print(rowNorms, (state) => 10 * state)).toEqual([
    {
      head: ["step", "min", "median", "max"],
      rows: [
        ["0", "1.000", "2.000", "3.000"],
        ["10", "2.000", "3.500", "5.000"],
      ],
    },
  ]);
  expect(await analyze(history)).not.toHaveProperty("rowNorms");
});
