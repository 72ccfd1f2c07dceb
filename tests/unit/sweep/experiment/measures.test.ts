import { expect, test } from "vitest";
import {
  analysisPathProblem,
  defaultMeasures,
  describeMeasure,
  measureProblem,
  numberAtAnalysisPath,
  parseMeasure,
} from "../../../../src/sweep/experiment/measures.js";

test("names are those of the contract", () => {
  const named = ["score", "C", "P", "unique", "deadC", "deadP", "deadUnique", "displacement", "finalLoss", "evalLoss", "stepsToFreeze"];
  expect(defaultMeasures).toEqual(named);
  expect(named.map(measureProblem)).toEqual(named.map(() => undefined));
});

test("a count can be of a recorded step, and any number of the analysis is named by its path", () => {
  expect(parseMeasure("deadC@1000")).toEqual({ from: "census", count: "C", tokens: "dead", step: 1000 });
  expect(parseMeasure("unique")).toEqual({ from: "census", count: "unique", tokens: "all", step: null });
  expect(parseMeasure("geometry.pathLength")).toEqual({ from: "analysis", path: "geometry.pathLength" });
});

test.each([
  ["dedC", '"deadC"'],
  ["displacment", '"displacement"'],
  ["displacement@5", "there is no measure"],
  ["geometry.pathLenght", '"geometry.pathLength"'],
  ["nothing.like.it", 'the analysis has no "nothing.like.it"'],
])("%s is refused: %s", (name, said) => {
  expect(measureProblem(name)).toContain(said);
});

test("every measure is described in words", () => {
  expect(describeMeasure("deadP@20")).toBe("dead tokens in black holes with another dead token, after step 20");
  expect(describeMeasure("C")).toBe("black holes, in the last state");
  expect(describeMeasure("statistics.gini")).toBe("statistics.gini of the analysis");
});

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
