import { expect, test } from "vitest";
import { timelineFields } from "../../../src/analysis/scan/state-scanner.js";
import { timeline, timelineOf } from "../../../src/analysis/timeline.js";
import { memoryHistory } from "./memory-source.js";

const history = (...states: number[][]) => memoryHistory("U8", [states.length, states[0]?.length ?? 0, 1], Uint8Array.from(states.flat()));

test("counts have an entry a state, changes an entry a step", async () => {
  // One hole of four parts in two, then one of these gives a token away, then all meet in one.
  expect(await timeline(history([1, 1, 1, 1, 2], [1, 1, 3, 3, 2], [1, 1, 3, 4, 2], [5, 5, 5, 5, 5]))).toEqual({
    unique: [2, 3, 4, 1],
    C: [1, 2, 1, 1],
    P: [4, 4, 2, 5],
    largest: [4, 2, 2, 5],
    fissions: [1, 0, 0],
    splits: [1, 1, 0],
    merges: [0, 0, 0],
    joins: [0, 0, 1],
    escapes: [0, 2, 0],
    captures: [0, 0, 3],
    firstStateWithTwoHoles: 1,
  });
});

test("a history of one state has counts and no changes", async () => {
  expect(await timeline(history([7, 7]))).toMatchObject({ C: [1], P: [2], fissions: [], captures: [], firstStateWithTwoHoles: null });
});

test("rows with NaN are in no hole", async () => {
  const nan = memoryHistory("F32", [1, 3, 1], new Uint8Array(Float32Array.of(Number.NaN, Number.NaN, 0).buffer));
  expect(await timeline(nan)).toMatchObject({ unique: [3], C: [0], P: [0], largest: [0] });
});

test("the first state with more than one hole counts, and the changes of state 0 are nobody's", () => {
  const row = (C: number, change: number) => timelineFields.map((field) => (field === "C" ? C : change));
  const found = timelineOf(Int32Array.from([...row(0, 9), ...row(3, 1), ...row(2, 2)]));
  expect(found).toMatchObject({ C: [0, 3, 2], fissions: [1, 2], captures: [1, 2], unique: [9, 1, 2], firstStateWithTwoHoles: 1 });
});

test("an empty history is refused with its shape", async () => {
  await expect(timeline(memoryHistory("U8", [2, 0, 3], new Uint8Array()))).rejects.toMatchObject({
    code: "FORMAT_UNSUPPORTED",
    message: "memory has nothing to analyse: its history is [2, 0, 3]",
  });
});
