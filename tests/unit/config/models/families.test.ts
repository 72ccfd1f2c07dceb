import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { families, familyOf, familyWithoutName, hasOwnHead, isReadFromWeights, modelSchema } from "../../../../src/config/models/families.js";
import { ownModelFields } from "../../../../src/config/models/family.js";
import { gpt2ConfigSchema, gpt2ModelSchema } from "../../../../src/config/models/gpt2-model.js";
import { expectedFrom } from "../../formats/reference-python.js";

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

test("no module compares a family's name but by the list of families", () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(100);
  const name = new RegExp(`[!=]== "(${Object.keys(families).join("|")})"`);
  expect(files.filter((file) => name.test(readFileSync(join("src", file), "utf8")))).toEqual([]);
});

test("each section of a configuration belongs to the family of its type, and a family that only Python knows has none", () => {
  for (const [type, family] of Object.entries(families)) expect(familyOf(modelSchema.parse({ type }))).toBe(family);
  expect(familyOf(modelSchema.parse({ type: "gpt_neox" }))).toBeUndefined();
  expect(familyOf({ type: "toString" })).toBeUndefined();
});

test("a config.json without a model_type is of the family whose field it has", () => {
  expect(familyWithoutName({ n_embd: 8 })).toBe("gpt2");
  expect(familyWithoutName({ hidden_size: 8 })).toBeUndefined();
});

test.each([
  [{}, true, false],
  [{ tie_word_embeddings: false }, true, true],
  [{ type: "llama" }, false, false],
  [{ type: "llama", tie_word_embeddings: false }, false, true],
  [{ type: "tinylm" }, false, false],
  [{ type: "gpt_neox" }, false, true],
])("%j: read from weights alone is %s, a head of its own is %s", (written, fromWeights, head) => {
  const model = modelSchema.parse(written);
  expect([isReadFromWeights(model), hasOwnHead(model)]).toEqual([fromWeights, head]);
});
