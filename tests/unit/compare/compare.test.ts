import { expect, test } from "vitest";
import { type Comparison, compare, unequalParts } from "../../../src/compare/compare.js";

const equal = { a: "a", b: "b", equal: true, first: null, equalTo: 3, reason: null };
const differences = { config: [], data: [], environment: [], code: [] };
const comparison: Comparison = { runs: ["a", "b"], differences, results: [], history: [equal], loss: [equal], final: [equal] };

test("what is demanded and not equal is told, and nothing else", () => {
  expect(unequalParts(comparison, ["history", "loss", "config", "final"])).toEqual([]);
  const other = { ...comparison, final: [equal, { ...equal, equal: false }], differences: { ...differences, config: [{ path: "seed", values: [1, 2] }] } };
  expect(unequalParts(other, ["history", "final", "config"])).toEqual(["final", "config"]);
  expect(unequalParts(other, ["history"])).toEqual([]);
});

test("one run cannot be compared", async () => {
  await expect(compare(["a"])).rejects.toMatchObject({ code: "USAGE" });
});
