import { expect, test } from "vitest";
import { analysisPathProblem, numberAtAnalysisPath } from "../../../../src/sweep/experiment/analysis-path.js";

test.each([
  "states",
  "geometry.pathLength",
  "geometry.displacement.bfloat16",
  "timeline.C.-1",
  "timeline.C.100",
  "motion.lattice.meanL2.0",
  "statistics.topShare.1",
  "topology.final.components",
])("%s is a number of the analysis", (path) => {
  expect(analysisPathProblem(path)).toBeUndefined();
});

test.each([
  ["timeline.C", "add an index"],
  ["timeline.C.last", 'an index in place of "last"'],
  ["geometry", "is not a number of the analysis: add one of centroidNorm"],
  ["source.x", "has no"],
  ["dtype", "is not a number of the analysis"],
  ["timelin.C.0", '"timeline.C.0"'],
])("%s is none: %s", (path, said) => {
  expect(analysisPathProblem(path)).toContain(said);
});

test("the number is taken from the document, from the end where the index is negative; what is not there is null", () => {
  const document = { timeline: { C: [1, 2, 5] }, statistics: { gini: null } };
  expect(numberAtAnalysisPath(document, "timeline.C.-1")).toBe(5);
  expect(numberAtAnalysisPath(document, "timeline.C.0")).toBe(1);
  expect(numberAtAnalysisPath(document, "timeline.C.9")).toBeNull();
  expect(numberAtAnalysisPath(document, "statistics.gini")).toBeNull();
  expect(numberAtAnalysisPath(document, "geometry.pathLength")).toBeNull();
});
