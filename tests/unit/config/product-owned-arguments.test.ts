import { expect, test } from "vitest";
import { gpt2ConfigDefaults, gpt2ConfigShape, gpt2ConfigVersion } from "../../../src/config/gpt2-config.generated.js";
import { gpt2ConfigSchema, gpt2ModelSchema } from "../../../src/config/models/gpt2-model.js";
import { ownModelFields } from "../../../src/config/models/own-model-fields.js";
import { productOwnedGpt2Config, productOwnedTrainingArguments } from "../../../src/config/product-owned-arguments.js";
import { trainingArgumentsDefaults, trainingArgumentsShape, trainingArgumentsVersion } from "../../../src/config/training-arguments.generated.js";
import { ownTrainingFields, trainingSchema } from "../../../src/config/training-schema.js";

test("every field of TrainingArguments can be set or is refused with a reason, never both", () => {
  const settable = Object.keys(trainingSchema.shape).filter((field) => !ownTrainingFields.some((own) => own === field));
  expect([...settable, ...Object.keys(productOwnedTrainingArguments)].sort()).toEqual(Object.keys(trainingArgumentsShape).sort());
});

test("every field of GPT2Config can be set or is refused with a reason, but for dtype, which is ours", () => {
  const known = Object.keys(gpt2ConfigShape).filter((field) => field !== "dtype");
  expect([...Object.keys(gpt2ConfigSchema.shape), ...Object.keys(productOwnedGpt2Config)].sort()).toEqual(known.sort());
});

test("the product's own fields are these", () => {
  expect(ownTrainingFields).toEqual(["decay_norms", "optimizer_state_dtype"]);
  expect(ownModelFields).toEqual(["type", "norm", "dtype", "from"]);
  expect(Object.keys(gpt2ModelSchema.shape).filter((field) => !Object.hasOwn(gpt2ConfigSchema.shape, field))).toEqual([...ownModelFields]);
});

test("both mirrors are of one transformers, and know a default for every field", () => {
  expect(gpt2ConfigVersion).toBe(trainingArgumentsVersion);
  expect(Object.keys(trainingArgumentsDefaults)).toEqual(Object.keys(trainingArgumentsShape));
  expect(Object.keys(gpt2ConfigDefaults)).toEqual(Object.keys(gpt2ConfigShape));
});
