import { expect, test } from "vitest";
import { checkpointSchema, hasTokenRows, recordableTensors, recordSchema } from "../../../src/config/record-schema.js";

const records = (record: object) => recordSchema.safeParse(record).success;

test("each recordable tensor is accepted, and parameters by their names with points", () => {
  expect(recordSchema.parse({ tensors: [...recordableTensors] }).tensors).toEqual([...recordableTensors]);
  expect(records({ tensors: ["wte", "transformer.h.0.mlp.c_fc.weight.grad"] })).toBe(true);
  for (const name of ["wpe", "a..b", "../a.b", "a.b/c", "a.b\n"]) expect(records({ tensors: [name] }), name).toBe(false);
  expect(records({ tensors: "wte" })).toBe(false);
});

test("tensors that have a row a token are told from others", () => {
  expect(["wte", "wte.grad", "lm_head.exp_avg", "logits.mean"].every(hasTokenRows)).toBe(true);
  expect(["hidden.mean", "transformer.wte2.weight", "learning_rate", "lm_heads.x"].some(hasTokenRows)).toBe(false);
});

test("rows are a name, a pattern or a list of token ids, and the list is not empty", () => {
  for (const rows of ["all", "dead", "live", "/[a-z]/i", [0], [5, 3]]) expect(records({ rows })).toBe(true);
  for (const rows of ["alive", "[a-z]", "//", [], [-1], [1.5], ["a"], 3, null]) expect(records({ rows })).toBe(false);
});

test("an interval is a whole number of steps from 1", () => {
  for (const every of [0, -1, 1.5, null]) expect(records({ every })).toBe(false);
});

test("checkpoints can be left to the end, and one is always kept", () => {
  expect(checkpointSchema.parse({ every: null, keep: 1 })).toEqual({ every: null, keep: 1 });
  expect(checkpointSchema.safeParse({ every: 0 }).success).toBe(false);
  expect(checkpointSchema.safeParse({ keep: 0 }).success).toBe(false);
});
