import { expect, test } from "vitest";
import { holesTable } from "../../../../src/commands/terminal/holes-table.js";

test("tokens stand with the character that each is, runs of them as ranges; what cannot be shown stands alone", () => {
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
  expect(shown).toContain("48 '0'-50 '2',92 '\\'");
  expect(shown).toContain("7,126");
});

test("without texts there are numbers alone", () => {
  expect(holesTable({ populations: [3], P: 3, members: [[1, 2, 9]] }, 100)).toContain("1-2,9");
});
