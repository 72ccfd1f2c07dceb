import { expect, test } from "vitest";
import { count } from "../../../src/text/count.js";

test.each([
  [0, "0 merges"],
  [1, "1 merge"],
  [2, "2 merges"],
  [265_905, "265,905 merges"],
])("%i is %s", (value, text) => expect(count(value, "merge")).toBe(text));

test("a plural of its own can be given", () => {
  expect(count(1, "entry", "entries")).toBe("1 entry");
  expect(count(2, "entry", "entries")).toBe("2 entries");
});
