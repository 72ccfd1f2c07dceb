import { expect, test } from "vitest";
import { parseStep } from "../../../../src/commands/terminal/target.js";

test("a step is a whole number from 0 on", () => expect(["0", "42", "007", "999999999999999"].map(parseStep)).toEqual([0, 42, 7, 999_999_999_999_999]));

test.each(["", " 1", "-1", "+1", "1.5", "1e3", "0x10", "1,000", "9999999999999999", "last"])("%j is none", (text) => {
  expect(() => parseStep(text)).toThrow("A step is a whole number of at least 0.");
});
