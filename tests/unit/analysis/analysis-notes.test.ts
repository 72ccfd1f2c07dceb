import { expect, test } from "vitest";
import { analysisNotes } from "../../../src/analysis/analysis-notes.js";

test("the notes of all parts are lines of one document, in order, and name fields by their paths", () => {
  const lines: string[] = [];
  const { note } = analysisNotes(lines, 2, "");
  const { leaveOut } = analysisNotes(lines, 2, "motion.");
  note("first");
  leaveOut(["lattice", "bulk"], "no lattice");
  note("last");
  expect(lines).toEqual(["first", "left out: motion.lattice, motion.bulk: no lattice", "last"]);
});

test("arrays are kept up to the limit, and left out above it", () => {
  const lines: string[] = [];
  const { perToken } = analysisNotes(lines, 2, "topology.");
  const arrays = { degrees: [1, 2], nearest: [3, 4] };
  expect(perToken(arrays, 2, "final.")).toBe(arrays);
  expect(lines).toEqual([]);
  expect(perToken(arrays, 3, "final.")).toEqual({});
  expect(lines).toEqual(["left out: topology.final.degrees, topology.final.nearest: 3 entries, more than 2 (maxTokens)"]);
});
