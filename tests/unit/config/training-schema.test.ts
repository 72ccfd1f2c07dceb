import { expect, test } from "vitest";
import { ownModelFields } from "../../../src/config/models/family.js";
import { gpt2ConfigSchema, gpt2ModelSchema } from "../../../src/config/models/gpt2-model.js";
import { gpt2ConfigShape } from "../../../src/config/models/model-configs.generated.js";
import { trainingArgumentsShape } from "../../../src/config/training-arguments.generated.js";
import { ownTrainingFields, productOwnedGpt2Config, productOwnedTrainingArguments, trainingSchema } from "../../../src/config/training-schema.js";
import { expectedFrom } from "../formats/reference-python.js";

const fields = Object.keys(trainingSchema.shape);

test("the fields are those of the installed TrainingArguments without the product's own, and two of ours", () => {
  const theirs = expectedFrom<string[]>(
    "import dataclasses, json; from transformers import TrainingArguments; print(json.dumps([f.name for f in dataclasses.fields(TrainingArguments) if f.init]))",
  );
  const expected = [...theirs.filter((field) => !Object.hasOwn(productOwnedTrainingArguments, field)), ...ownTrainingFields];
  expect(fields.toSorted()).toEqual(expected.toSorted());
});

test("what silently shapes a result comes first, with a default of our own", () => {
  expect(fields.slice(0, 3)).toEqual(["max_steps", "per_device_train_batch_size", "gradient_accumulation_steps"]);
  expect(Object.keys(trainingSchema.parse({}))).toEqual(fields.slice(0, Object.keys(trainingSchema.parse({})).length));
});

test.each([
  ["adam_beta1", 1],
  ["adam_beta2", -0.1],
  ["learning_rate", -1e-3],
  ["max_steps", 0],
  ["logging_steps", 0],
  ["optim", "adam"],
  ["decay_norms", "sometimes"],
  ["bf16", "yes"],
])("%s = %j is refused", (field, value) => {
  expect(trainingSchema.safeParse({ [field]: value }).success).toBe(false);
});

test("every field of TrainingArguments can be set or is refused with a reason, never both", () => {
  const settable = Object.keys(trainingSchema.shape).filter((field) => !ownTrainingFields.some((own) => own === field));
  expect([...settable, ...Object.keys(productOwnedTrainingArguments)].sort()).toEqual(Object.keys(trainingArgumentsShape).sort());
});

test("every field of GPT2Config can be set or is refused with a reason, but for dtype, which is ours", () => {
  const known = Object.keys(gpt2ConfigShape).filter((field) => field !== "dtype");
  expect([...Object.keys(gpt2ConfigSchema.shape), ...Object.keys(productOwnedGpt2Config)].sort()).toEqual(known.sort());
});

test("the product's own fields are these", () => {
  expect(ownTrainingFields).toEqual(["decay_norms", "optimizer_state_dtype", "compute_loss_func"]);
  expect(ownModelFields).toEqual(["type", "norm", "dtype", "from"]);
  expect(Object.keys(gpt2ModelSchema.shape).filter((field) => !Object.hasOwn(gpt2ConfigSchema.shape, field))).toEqual([...ownModelFields]);
});
