import { expect, test } from "vitest";
import { holesTable, table } from "../../../../src/commands/terminal/table.js";

const head = ["step", "unique", "largest"];
const rows = [
  ["0", "1", "128"],
  ["1,000", "78", "51"],
];

test("numbers are aligned to the right, and texts where that is said", () => {
  expect(table(head, rows)).toBe(" step  unique  largest\n    0       1      128\n1,000      78       51");
  expect(table(["a", "name"], [["1", "x"]], { align: ["right", "left"] })).toBe("a  name\n1  x");
});

test("a table that is too wide is told in parts, each with the first column", () => {
  expect(table(head, rows, { width: 14 })).toBe(" step  unique\n    0       1\n1,000      78\n\n step  largest\n    0      128\n1,000       51");
});

test("a table of one column, and one without rows, are told too", () => {
  expect(table(["step"], [["1"]], { width: 2 })).toBe("step\n   1");
  expect(table(head, [])).toBe("step  unique  largest");
});

test("wide characters and colours do not shift a column", () => {
  expect(
    table(
      ["tag", "C"],
      [
        ["漢字", "1"],
        ["\u001b[32mab\u001b[39m", "2"],
      ],
      { align: ["left"] },
    )
      .split("\n")
      .slice(1),
  ).toEqual(["漢字  1", "\u001b[32mab\u001b[39m    2"]);
});

test("tokens are listed by name, consecutive ones as ranges", () => {
  const shown = holesTable(
    {
      populations: [4, 2],
      P: 6,
      members: [
        [48, 49, 50, 92],
        [7, 126],
      ],
      texts: [
        ["0", "1", "2", "\\"],
        ["\u0007", null],
      ],
    },
    100,
  );
  expect(shown).toContain("'0'…'2' \\");
  expect(shown).toContain("\\x07 #126");
});

test("without texts there are numbers alone", () => {
  expect(holesTable({ populations: [3], P: 3, members: [[1, 2, 9]] }, 100)).toContain("#1 #2 #9");
});
