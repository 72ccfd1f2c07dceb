import { expect, test } from "vitest";
import { markdownTable } from "../../../src/text/markdown-table.js";

test("a line for the head, one that divides, and one a row", () => {
  expect(
    markdownTable(
      ["a", "b"],
      [
        ["1", "2"],
        ["3", ""],
      ],
    ),
  ).toBe("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 |  |");
});

test("a bar in a cell does not end it", () => {
  expect(markdownTable(["x"], [["a|b"]])).toContain("| a\\|b |");
});
