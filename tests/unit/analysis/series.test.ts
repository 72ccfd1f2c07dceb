import { expect, test } from "vitest";
import { chosenStates, historyUntil, spreadStates } from "../../../src/analysis/series.js";
import { memoryHistory } from "./memory-source.js";

test("first and last state are among them, and the others at equal distances", () => {
  expect(spreadStates(101, 5)).toEqual([0, 25, 50, 75, 100]);
});

test("of fewer states than are wanted, all", () => {
  expect(spreadStates(3, 200)).toEqual([0, 1, 2]);
  expect(spreadStates(1, 200)).toEqual([0]);
});

const bytes = Uint8Array.from({ length: 4 * 2 * 1 }, (_, index) => index);
const whole = { ...memoryHistory("U8", [4, 2, 1], bytes), steps: [0, 5, 10, 15] };

test("a history that ends early has its states, its steps and its bytes, and closes the whole one", () => {
  let closed = 0;
  const part = historyUntil({ ...whole, close: () => void closed++ }, 1);
  expect([part.states, part.steps, part.tokens, part.dims, part.dtype]).toEqual([2, [0, 5], 2, 1, "U8"]);
  const target = new Uint8Array(2);
  part.read(1, 1, target);
  expect([...target]).toEqual([2, 3]);
  part.close();
  expect(closed).toBe(1);
});

test("the last state gives all of them, and what has no steps gets none", () => {
  expect(historyUntil(whole, 3).states).toBe(4);
  expect(historyUntil(memoryHistory("U8", [4, 2, 1], bytes), 0)).not.toHaveProperty("steps");
});

test.each([-1, 4, 1.5, Number.NaN])("state %d is refused with those that there are", (state) => {
  const message = `memory has the states 0 to 3, not ${state}`;
  expect(() => historyUntil(whole, state)).toThrow(expect.objectContaining({ code: "USAGE", message }));
});

test("the first state, a hundredth, a tenth and the last", () => expect(chosenStates(1001)).toEqual([0, 10, 100, 1000]));

test("in a short history no state is chosen twice", () => {
  expect(chosenStates(11)).toEqual([0, 1, 10]);
  expect(chosenStates(2)).toEqual([0, 1]);
  expect(chosenStates(1)).toEqual([0]);
});

test("other shares than usual can be asked for", () => expect(chosenStates(101, [0.5])).toEqual([0, 50, 100]));
