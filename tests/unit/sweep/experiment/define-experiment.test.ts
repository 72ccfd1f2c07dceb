import { expect, test } from "vitest";
import { defineExperiment } from "../../../../src/sweep/experiment/define-experiment.js";

test("an experiment is given back as it was written, arms by sections or by dotted paths", () => {
  const written = { base: "quick", arms: { a: { model: { norm: "layernorm" } }, b: { "model.norm": "rmsnorm" } }, seeds: "1..3" } as const;
  expect(defineExperiment(written)).toBe(written);
});

test("the compiler refuses a misspelt section, field or value of an arm", () => {
  // @ts-expect-error: no section of this name
  defineExperiment({ arms: { a: {}, b: { modle: {} } } });
  // @ts-expect-error: no field of this name
  defineExperiment({ arms: { a: {}, b: { model: { nrom: "layernorm" } } } });
  // @ts-expect-error: no norm of this name
  defineExperiment({ arms: { a: {}, b: { model: { norm: "batchnorm" } } } });
  // @ts-expect-error: arms are what an experiment is about
  defineExperiment({ base: "quick" });
});
