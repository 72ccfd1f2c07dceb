import { expect, test } from "vitest";
import { markdownTable, markdownText } from "../../../src/text/markdown-table.js";

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

test.each([
  ["<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>"],
  ["[x](javascript:alert(1))", "\\[x\\]\\(javascript:alert(1))"],
  ["![x](http://a)", "!\\[x\\]\\(http://a)"],
  ["`code` *bold* \\", "\\`code\\` \\*bold\\* \\\\"],
  ["two\nlines and \u001b[31m", "two lines and \\\\u{1b}\\[31m"],
  ["training.learning_rate 0.5 größe", "training.learning_rate 0.5 größe"],
])("%j is no markup as %s", (text, shown) => expect(markdownText(text)).toBe(shown));
