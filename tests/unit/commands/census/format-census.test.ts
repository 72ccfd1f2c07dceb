import { expect, test } from "vitest";
import type { CensusDocument } from "../../../../src/commands/census/census-document.js";
import { formatCensus } from "../../../../src/commands/census/format-census.js";
import { terminalColors } from "../../../../src/commands/terminal/terminal-text.js";

const colors = terminalColors(false);
const document: CensusDocument = {
  schema: "bh-bridge/census@1",
  source: "runs/one",
  tensor: "embedding_history",
  dtype: "BF16",
  shape: [1280, 64],
  rows: 1280,
  unique: 1231,
  C: 1,
  P: 50,
  populations: [50],
  members: [Array.from({ length: 50 }, (_, token) => token)],
};

test("a census says what was counted, its totals with their share, and its black holes", () => {
  expect(formatCensus(document, 1500, colors)).toBe(`embedding_history of runs/one, step 1500: BF16 1,280 × 64

  Rows         1,280
  Unique rows  1,231
  Black holes  C = 1
  Population   P = 50 (3.91 % of the rows)

     population    share  tokens
  1          50  100.0 %  0-49`);
});

test("of chosen rows it is said of how many they are, and without a black hole there is no table", () => {
  const text = formatCensus({ ...document, rows: 12, unique: 12, C: 0, P: 0, populations: [], members: [] }, undefined, colors);
  expect(text).toContain("Rows         12 of 1,280\n");
  expect(text.endsWith("Population   P = 0 (0.00 % of the rows)")).toBe(true);
});

test("a matrix without rows has no share", () => {
  const empty = { ...document, shape: [0, 64] as [number, number], rows: 0, unique: 0, C: 0, P: 0, populations: [], members: [] };
  expect(formatCensus(empty, undefined, colors)).toMatch(/P = 0$/);
});

test("of many black holes the largest have a line, and it is said how many are left out", () => {
  const populations = Array.from({ length: 23 }, () => 2);
  const members = populations.map((_, hole) => [2 * hole, 2 * hole + 1]);
  const text = formatCensus({ ...document, C: 23, P: 46, populations, members }, undefined, colors);
  expect(text).toContain("… and 3 smaller ones; --json lists all");
  expect(text.split("\n").filter((line) => line.includes("4.3 %"))).toHaveLength(20);
});
