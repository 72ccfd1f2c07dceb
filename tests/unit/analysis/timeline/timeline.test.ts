import { expect, test } from "vitest";
import { timelineFields } from "../../../../src/analysis/scan/state-scanner.js";
import { firstState, nanEscapes, timeline, timelineOf } from "../../../../src/analysis/timeline/timeline.js";
import { memoryHistory } from "../memory-source.js";

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

const counts = { unique: [1, 1, 5, 5], C: [1, 1, 2, 0], P: [9, 9, 4, 0], largest: [9, 9, 3, 0] };

test("the first state that meets a condition is told, with all of its counts", () => {
  expect(firstState(counts, ({ C }) => C === 2)).toBe(2);
  expect(firstState(counts, ({ unique }) => unique === 1)).toBe(0);
  const seen: object[] = [];
  firstState(counts, (state) => seen.push(state) === 3);
  expect(seen.at(-1)).toEqual({ state: 2, unique: 5, C: 2, P: 4, largest: 3 });
});

test("none is null, also where there is no state", () => {
  expect(firstState(counts, ({ P }) => P > 9)).toBeNull();
  expect(firstState({ unique: [], C: [], P: [], largest: [] }, () => true)).toBeNull();
});

/** States of three tokens of one dimension. */
function historyOf(...states: number[][]) {
  return memoryHistory("F64", [states.length, 3, 1], new Uint8Array(Float64Array.from(states.flat()).buffer));
}

function all(history: ReturnType<typeof historyOf>, escapes: readonly number[]): { counts: number[]; steps: number[] } {
  const steps: number[] = [];
  const generator = nanEscapes(history, escapes);
  for (;;) {
    const next = generator.next();
    if (next.done) return { counts: next.value, steps };
    steps.push(next.value);
  }
}

const nan = Number.NaN;

test("a token whose row became NaN has left its hole without moving away", () => {
  // Step 1: token 0 becomes NaN, token 1 and 2 part by moving.
  expect(all(historyOf([1, 1, 1], [nan, 2, 3]), [3]).counts).toEqual([1]);
  expect(all(historyOf([1, 1, 1], [2, 1, 1]), [1]).counts).toEqual([0]);
});

test("a token that was in no hole does not count", () => {
  expect(all(historyOf([1, 1, 9], [2, 1, nan]), [1]).counts).toEqual([0]);
});

test("states without escapes are not read", () => {
  expect(all(historyOf([1, 1, 1], [1, 1, 1], [nan, 1, 1]), [0, 1])).toEqual({ counts: [0, 1], steps: [2] });
});
