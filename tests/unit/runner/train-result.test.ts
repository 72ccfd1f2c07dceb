import { expect, test } from "vitest";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";
import { finalLoss, hasStepLosses } from "../../../src/runner/train-result.js";

test.each<[string, [number, number | null][], number | null]>([
  [
    "the last that was logged",
    [
      [10, 3],
      [20, 2.5],
    ],
    2.5,
  ],
  [
    "none, where it is not finite, whatever was before",
    [
      [10, 3],
      [20, null],
    ],
    null,
  ],
  ["none, where no step was made", [], null],
])("the final loss is %s", (_, loss, final) => expect(finalLoss({ loss })).toBe(final));

test.each<[string, number[], number, boolean]>([
  ["of each step", [1, 2, 3], 500, true],
  ["of each step of a run that began with a checkpoint", [1001, 1002], 500, true],
  ["of one step", [1], 500, true],
  ["logged once", [500], 500, false],
  ["logged twice", [500, 1000], 500, false],
  ["logged at each step", [1, 2, 3], 1, false],
  ["none", [], 500, false],
])("losses %s are told from logged ones", async (_, steps, every, expected) => {
  const { config } = await resolveRunConfig({ set: [`training.logging_steps=${every}`] });
  expect(hasStepLosses({ loss: steps.map((step) => [step, 1]) }, config)).toBe(expected);
});
