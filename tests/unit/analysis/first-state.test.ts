import { expect, test } from "vitest";
import { firstState } from "../../../src/analysis/first-state.js";

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
