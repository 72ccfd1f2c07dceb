import { expect, test } from "vitest";
import { findTensor } from "../../../src/formats/find-tensor.js";
import type { StoredTensor } from "../../../src/formats/stored-tensor.js";

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
