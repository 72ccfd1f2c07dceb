import { expect, test } from "vitest";
import { modelSchema } from "../../../src/config/model-schema.js";
import { gpt2ConfigSchema, gpt2ModelSchema } from "../../../src/config/models/gpt2-model.js";
import { ownModelFields } from "../../../src/config/models/own-model-fields.js";
import { expectedFrom } from "../formats/reference-python.js";

test("GPT2Config's fields are transformers' own, and what is not is ours", () => {
  const theirs = expectedFrom<string[]>("import json; from transformers import GPT2Config; print(json.dumps(list(GPT2Config().to_dict())))");
  expect(Object.keys(gpt2ConfigSchema.shape).filter((field) => !theirs.includes(field))).toEqual([]);
  expect(Object.keys(gpt2ModelSchema.shape).filter((field) => !Object.hasOwn(gpt2ConfigSchema.shape, field))).toEqual([...ownModelFields]);
});

test.each([
  ["vocab_size", 1],
  ["vocab_size", 1.5],
  ["n_positions", 1],
  ["n_layer", 0],
  ["resid_pdrop", 1.01],
  ["layer_norm_epsilon", 0],
  ["dtype", "float16"],
  ["norm", "batchnorm"],
  ["from", ""],
])("%s = %j is refused", (field, value) => {
  expect(modelSchema.safeParse({ [field]: value }).success).toBe(false);
});
