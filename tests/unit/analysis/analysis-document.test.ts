import { describe, expect, test } from "vitest";
import { analysisDocumentSchema, currentAnalysisSchema } from "../../../src/analysis/analysis-document.js";
import { analyze } from "../../../src/analysis/analyze.js";
import { memoryHistory } from "./memory-source.js";

const document = await analyze(memoryHistory("U8", [3, 2, 1], Uint8Array.of(1, 1, 1, 2, 3, 3)));
const accepts = (change: object) => analysisDocumentSchema.safeParse({ ...document, ...change }).success;

test("a document is plain data that its schema takes as it is", () => {
  const read = JSON.parse(JSON.stringify(document));
  for (const schema of [analysisDocumentSchema, currentAnalysisSchema()]) expect(schema.parse(read)).toEqual(document);
});

test("any analysis may be missing, and so may the members of holes; the head may not", () => {
  for (const part of ["timeline", "statistics", "motion", "geometry"]) expect(accepts({ [part]: undefined }), part).toBe(true);
  expect(accepts({ finalCensus: { ...document.finalCensus, members: undefined } })).toBe(true);
  for (const field of ["source", "states", "tokens", "dims", "dtype", "degenerate", "finalCensus", "notes"])
    expect(accepts({ [field]: undefined }), field).toBe(false);
});

describe("what no version wrote is refused", () => {
  test.each([
    ["another document", { schema: "bh-bridge/analysis@2" }],
    ["a field of nobody", { novelty: 1 }],
    ["a negative number of states", { states: -1 }],
    ["half a token", { tokens: 1.5 }],
    ["a dtype that no matrix has", { dtype: "F8_E4M3" }],
    ["a reason that is none", { degenerate: ["boring"] }],
    ["a census with another field", { finalCensus: { ...document.finalCensus, novelty: 1 } }],
  ])("%s", (_, change) => expect(accepts(change)).toBe(false));
});
