import { expect, test } from "vitest";
import { plainTensorName } from "../../../src/formats/plain-tensor-name.js";

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
