import { expect, test } from "vitest";
import { flattenOverrides } from "../../../../src/sweep/grammar/flatten-overrides.js";

test("dotted keys and nested objects are the same", () => {
  expect(flattenOverrides({ "model.norm": "layernorm", training: { max_steps: 3, "optim.x": 1 } })).toEqual({
    "model.norm": "layernorm",
    "training.max_steps": 3,
    "training.optim.x": 1,
  });
});

test("a list is one value, an empty object too, and what is undefined is not there", () => {
  expect(flattenOverrides({ record: { tensors: ["wte"], rows: undefined }, training: { lr_scheduler_kwargs: {} } })).toEqual({
    "record.tensors": ["wte"],
    "training.lr_scheduler_kwargs": {},
  });
});

test("of two that name one path the later holds", () => {
  expect(flattenOverrides({ "model.norm": "a", model: { norm: "b" } })).toEqual({ "model.norm": "b" });
});
