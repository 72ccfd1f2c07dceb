import { expect, test } from "vitest";
import { describeMeasure, measureProblem, parseMeasure, usualMeasures } from "../../../../src/sweep/experiment/measures.js";

test("names are those of the contract", () => {
  const named = ["score", "C", "P", "unique", "deadC", "deadP", "deadUnique", "displacement", "finalLoss", "evalLoss", "stepsToFreeze"];
  expect(usualMeasures).toEqual(named);
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
