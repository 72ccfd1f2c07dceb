import { expect, test } from "vitest";
import { formatInvalid } from "../../../src/formats/file-bytes.js";

test("the error says which file, where and why, for people and for programs", () => {
  expect(formatInvalid("weights.pt", 12, "a line is empty")).toMatchObject({
    code: "FORMAT_INVALID",
    message: "weights.pt is damaged or not what its name says: at byte 12, a line is empty",
    offset: 12,
  });
});

test("the cause is kept where there is one", () => {
  const cause = new Error("no JSON");
  expect(formatInvalid("a", 0, "b", cause).cause).toBe(cause);
  expect(formatInvalid("a", 0, "b").cause).toBeUndefined();
});
