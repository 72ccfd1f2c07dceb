import { expect, test } from "vitest";
import { analysisNotes, latticeFor, measurableStates } from "../../../src/analysis/analysis.js";
import { defaultSettings } from "../../../src/analysis/scan/observation.js";
import { memoryHistory } from "./memory-source.js";

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

const none = new Uint8Array(0);

test("only bfloat16 has a lattice", () => {
  expect(latticeFor().unmet(memoryHistory("BF16", [1, 1, 1], none), defaultSettings)).toBeUndefined();
  expect(latticeFor().unmet(memoryHistory("F16", [1, 1, 1], none), defaultSettings)).toBe("only bfloat16 has a lattice, and this history is F16");
  expect(latticeFor(["nearest"]).fields).toEqual(["nearest"]);
  expect(latticeFor()).not.toHaveProperty("fields");
});

test("states of up to 16,777,216 numbers are measured", () => {
  expect(measurableStates.unmet(memoryHistory("U8", [1, 4096, 4096], none), defaultSettings)).toBeUndefined();
  expect(measurableStates.unmet(memoryHistory("U8", [1, 4096, 4097], none), defaultSettings)).toBe("a state has 16,781,312 numbers, more than 16,777,216");
});
