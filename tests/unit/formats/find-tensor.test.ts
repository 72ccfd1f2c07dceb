import { expect, test } from "vitest";
import { findTensor, outstandingEmbedding, plainTensorName } from "../../../src/formats/find-tensor.js";
import type { StoredTensor, TensorInfo } from "../../../src/formats/stored-tensor.js";

const find = (names: readonly string[], name: string) =>
  findTensor(
    names.map((each) => ({ name: each }) as StoredTensor),
    name,
    "model.pt",
  ).name;

test.each([
  ["its own name", ["wte.weight", "transformer.wte.weight"], "wte.weight", "wte.weight"],
  ["the name without GPT-2's prefix", ["transformer.wte.weight", "lm_head.weight"], "wte.weight", "transformer.wte.weight"],
  ["the name with it", ["wte.weight"], "transformer.wte.weight", "wte.weight"],
  ["the name without a wrapper of Python", ["module.transformer.wte.weight"], "wte.weight", "module.transformer.wte.weight"],
  ["the name that record.tensors has for a run's embedding", ["steps_done", "embedding_history"], "wte", "embedding_history"],
  ["a name that a compiled model saves", ["_orig_mod.wte.weight"], "transformer.wte.weight", "_orig_mod.wte.weight"],
])("a tensor is found by %s", (_, names, name, found) => expect(find(names, name)).toBe(found));

test.each([
  ["two that are meant", ["module.wte", "_orig_mod.wte"], "wte", 'model.pt has several tensors "wte": name "module.wte" or "_orig_mod.wte"'],
  ["few others, all of which are told", ["wpe", "lm_head"], "wte", 'model.pt has no tensor "wte"; it has "wpe", "lm_head"'],
  [
    "many others, of which the nearest are told",
    ["h.0.attn.c_attn.weight", "wpe.weight", "wte.wieght", "ln_f.weight"],
    "wte.weight",
    'model.pt has no tensor "wte.weight"; nearest of its 4: "wpe.weight", "wte.wieght", "ln_f.weight"',
  ],
  ["none at all", [], "wte", 'model.pt has no tensor "wte"; it has no tensors at all'],
])("of a file with %s", (_, names, name, message) => {
  expect(() => find(names, name)).toThrow(expect.objectContaining({ code: "TENSOR_NOT_FOUND", message }));
});

test.each([
  ["transformer.wte.weight", "transformer.wte.weight"],
  ["module.transformer.wte.weight", "transformer.wte.weight"],
  ["_orig_mod.module.transformer.wte.weight", "transformer.wte.weight"],
  ["model_state_dict.module.transformer.wte._parameters.weight", "transformer.wte.weight"],
  ["state_dict._modules.wte._parameters.weight", "wte.weight"],
  ["bn._buffers.running_mean", "bn.running_mean"],
])("%s is the model's %s", (name, plain) => expect(plainTensorName(name)).toBe(plain));

test("the name of a dict is one only in front: a layer may be called model", () => {
  expect(plainTensorName("model.embed_tokens.weight")).toBe("embed_tokens.weight");
  expect(plainTensorName("language.model.embed_tokens.weight")).toBe("language.model.embed_tokens.weight");
});

test("a name of wrappers and dicts alone stays", () => {
  for (const name of ["model", "module", "state_dict.model", ""]) expect(plainTensorName(name)).toBe(name);
});

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
