import { expect, test } from "vitest";
import { parseTrainerControl, wireNumberSchema } from "../../../src/protocol/events.js";

test.each([undefined, null, {}])("%s decides nothing", (answer) => {
  expect(parseTrainerControl(answer)).toEqual({});
});

test("the fields of TrainerControl are accepted", () => {
  const control = { should_training_stop: true, should_epoch_stop: false, should_save: true, should_evaluate: true, should_log: true };
  expect(parseTrainerControl(control)).toEqual(control);
});

test.each([{ should_stop: true }, { should_save: "yes" }, true, "stop"])("%j is refused", (answer) => {
  let error: unknown;
  try {
    parseTrainerControl(answer);
  } catch (caught) {
    error = caught;
  }
  expect(error).toMatchObject({ code: "PROTOCOL_INVALID", message: expect.stringContaining("the answer is not a TrainerControl") });
});

test.each([
  [1.5, 1.5],
  [-0, -0],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
])("%s on the wire is the number %s", (wire, number) => {
  expect(wireNumberSchema.parse(wire)).toBe(number);
});

test.each(["nan", "inf", "1", "", null, true])("%s is no number", (wire) => {
  expect(wireNumberSchema.safeParse(wire).success).toBe(false);
});
