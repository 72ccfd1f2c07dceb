import { expect, test } from "vitest";
import { outstandingEmbedding } from "../../../src/formats/embedding-tensor.js";
import { plainTensorName } from "../../../src/formats/plain-tensor-name.js";
import type { TensorInfo } from "../../../src/formats/stored-tensor.js";

const tensor = (name: string, ...shape: number[]): TensorInfo => ({
  name,
  dtype: "F32",
  shape,
  bytes: 4 * shape.reduce((product, size) => product * size, 1),
  file: "x",
});
const found = (...tensors: TensorInfo[]) => outstandingEmbedding(tensors)?.name;

test.each(["transformer.wte.weight", "model.embed_tokens.weight", "bert.embeddings.word_embeddings.weight", "state_dict.module.wte._parameters.weight"])(
  "%s is an embedding by its name",
  (name) => {
    expect(found(tensor("lm_head.weight", 8, 4), tensor(name, 8, 4), tensor("mlp.weight", 4, 4))).toBe(name);
  },
);

test("a recorded history comes before a tensor with an embedding's name", () => {
  expect(found(tensor("wte.weight", 8, 4), tensor("embedding_history", 3, 8, 4))).toBe("embedding_history");
});

test("the only matrix is it; of two that have no such name, none is", () => {
  expect(found(tensor("anything", 8, 4), tensor("bias", 4))).toBe("anything");
  expect(found(tensor("one", 8, 4), tensor("two", 8, 4))).toBeUndefined();
});

test("of two with one name neither stands out", () => {
  expect(found(tensor("encoder.wte.weight", 8, 4), tensor("decoder.wte.weight", 8, 4))).toBeUndefined();
});

test("a name that only ends in the same letters is another one", () => {
  expect(found(tensor("my_wte.weight", 8, 4), tensor("other", 8, 4))).toBeUndefined();
});

test.each([
  ["transformer.wte.weight", "transformer.wte.weight"],
  ["model_state_dict.module.transformer.wte._parameters.weight", "transformer.wte.weight"],
  ["_orig_mod.lm_head.weight", "lm_head.weight"],
  ["model.embed_tokens.weight", "embed_tokens.weight"],
  ["state_dict", "state_dict"],
])("%s is the model's own %s", (name, plain) => {
  expect(plainTensorName(name)).toBe(plain);
});
