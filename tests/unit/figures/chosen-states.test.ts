import { expect, test } from "vitest";
import { chosenStates } from "../../../src/figures/chosen-states.js";

test("the first state, a hundredth, a tenth and the last", () => expect(chosenStates(1001)).toEqual([0, 10, 100, 1000]));

test("in a short history no state is chosen twice", () => {
  expect(chosenStates(11)).toEqual([0, 1, 10]);
  expect(chosenStates(2)).toEqual([0, 1]);
  expect(chosenStates(1)).toEqual([0]);
});

test("other shares than usual can be asked for", () => expect(chosenStates(101, [0.5])).toEqual([0, 50, 100]));
