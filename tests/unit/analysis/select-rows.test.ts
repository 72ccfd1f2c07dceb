import { expect, test } from "vitest";
import { selectRows } from "../../../src/analysis/select-rows.js";

test("without a choice every row is taken", () => {
  expect([...selectRows(3)]).toEqual([0, 1, 2]);
});

test("chosen rows are taken once, in ascending order", () => {
  expect([...selectRows(10, [9, 0, 9, 2])]).toEqual([0, 2, 9]);
  expect([...selectRows(10, [])]).toEqual([]);
});

test.each([-1, 3, 1.5, Number.NaN])("row %d is not in a matrix of 3 rows", (row) => {
  expect(() => selectRows(3, [row])).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringContaining("rows from 0 to 2") }));
});
