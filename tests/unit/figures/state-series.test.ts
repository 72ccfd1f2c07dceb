import { expect, test } from "vitest";
import { analyze } from "../../../src/analysis/analyze.js";
import { analysedSteps, overMoves, overStates } from "../../../src/figures/state-series.js";
import { memoryHistory } from "../analysis/memory-source.js";

const history = memoryHistory("F32", [3, 1, 1], new Uint8Array(Float32Array.of(1, 2, 3).buffer));

test("a number a state stands at the step of the state, and a number a move at the step that it arrives at", async () => {
  const every = await analyze(history, { workers: 0 });
  expect(overStates(every, [5, null, 6])).toEqual({ steps: [0, 1, 2], values: [5, null, 6] });
  const tenth = await analyze({ ...history, steps: [0, 10, 15] }, { workers: 0 });
  expect(analysedSteps(tenth)).toEqual([0, 10, 15]);
  expect(overMoves(tenth, [7, 8])).toEqual({ steps: [10, 15], values: [7, 8] });
});
