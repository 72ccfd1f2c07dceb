import { expect, test } from "vitest";
import { experimentSchema } from "../../../../src/sweep/experiment/experiment-schema.js";

const arms = { layernorm: { model: { norm: "layernorm" } }, rmsnorm: {} };
const problems = (experiment: unknown) => experimentSchema.safeParse(experiment).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);

test("arms are all that has to be written", () => {
  const rules = { score: "notebook", decides: ["score", "deadC"], alpha: 0.05, nullBelow: 0.3, test: "mean" };
  expect(experimentSchema.parse({ arms })).toEqual({ arms, measures: [], rules });
});

test("one arm compares nothing", () => {
  expect(problems({ arms: { only: {} } })).toEqual(["arms: an experiment compares two arms or more: the first is the control"]);
});

test("an arm whose name is a number would not keep its place", () => {
  expect(problems({ arms: { b: {}, 1: {} } })).toEqual([expect.stringContaining("arms.1: the name of an arm")]);
});

test("a misspelt measure is refused with the nearest, wherever it stands", () => {
  expect(problems({ arms, measures: ["deadc"], rules: { decides: ["scor"] } })).toEqual([
    expect.stringMatching(/^rules\.decides\.0: .*did you mean "score"/),
    expect.stringMatching(/^measures\.0: .*did you mean "deadC"/),
  ]);
});
