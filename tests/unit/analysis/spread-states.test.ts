import { expect, test } from "vitest";
import { spreadStates } from "../../../src/analysis/spread-states.js";

test("first and last state are among them, and the others at equal distances", () => {
  expect(spreadStates(101, 5)).toEqual([0, 25, 50, 75, 100]);
});

test("of fewer states than are wanted, all", () => {
  expect(spreadStates(3, 200)).toEqual([0, 1, 2]);
  expect(spreadStates(1, 200)).toEqual([0]);
});
