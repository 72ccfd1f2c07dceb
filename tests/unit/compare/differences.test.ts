import { expect, test } from "vitest";
import { differences } from "../../../src/compare/differences.js";

test("every value in which objects differ has its path, and null where it is absent", () => {
  const [a, b, c] = [
    { seed: 42, record: { every: 1, rows: [1, 2] } },
    { seed: 7, record: { every: 1, rows: [1, 3] } },
    { seed: 42, record: { every: 1 }, name: "c" },
  ];
  expect(differences([a, b, c])).toEqual([
    { path: "seed", values: [42, 7, 42] },
    { path: "record.rows", values: [[1, 2], [1, 3], null] },
    { path: "name", values: [null, null, "c"] },
  ]);
});

test("equal objects do not differ", () => {
  expect(differences([{ a: { b: [1] } }, { a: { b: [1] } }])).toEqual([]);
});
