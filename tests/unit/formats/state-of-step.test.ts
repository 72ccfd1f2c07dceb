import { expect, test } from "vitest";
import { stateOfStep, stepOfState, stepsOf } from "../../../src/formats/state-of-step.js";

const every = { source: "history", states: 4 };
const third = { source: "history", states: 4, steps: [0, 3, 6, 9] };

test("without steps, every state is of the step of its number", () => {
  expect(stepsOf(every)).toEqual([0, 1, 2, 3]);
  expect([0, 3].map((state) => stepOfState({}, state))).toEqual([0, 3]);
  expect(stateOfStep(every, 3)).toBe(3);
});

test("with steps, they say", () => {
  expect(stepsOf(third)).toEqual([0, 3, 6, 9]);
  expect(stepOfState(third, 2)).toBe(6);
  expect(stateOfStep(third, 6)).toBe(2);
});

test.each([
  [4, "step 4 is not recorded in history: it has 4 states of the steps 0 to 9, the nearest 3 and 6"],
  [12, "step 12 is not recorded in history: it has 4 states of the steps 0 to 9, the nearest 9"],
  [-1, "step -1 is not recorded in history: it has 4 states of the steps 0 to 9, the nearest 0"],
])("step %i, which was not recorded, is refused with the nearest", (step, message) => {
  expect(() => stateOfStep(third, step)).toThrow(expect.objectContaining({ code: "USAGE", message }));
});
