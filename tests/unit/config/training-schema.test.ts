import { expect, test } from "vitest";
import { productOwnedTrainingArguments } from "../../../src/config/product-owned-arguments.js";
import { ownTrainingFields, trainingSchema } from "../../../src/config/training-schema.js";
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
