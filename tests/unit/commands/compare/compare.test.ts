import { expect, test } from "vitest";
import { knownNames } from "../../../../src/commands/compare/compare.js";

const names = (list: string) => knownNames(list, ["history", "loss"], (name, meant) => new Error(`${name}: ${meant}`));

test("names stand between commas, and spaces beside them do not count", () => {
  expect(names("loss, history,loss")).toEqual(["loss", "history", "loss"]);
});

test.each([
  ["hstory", "hstory: did you mean history?"],
  ["zzz", "zzz: expected history, loss"],
  ["", ": expected history, loss"],
])("%j is not known", (list, message) => {
  expect(() => names(list)).toThrow(message);
});
