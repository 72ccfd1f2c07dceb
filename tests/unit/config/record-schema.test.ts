import { expect, test } from "vitest";
import { checkpointSchema, recordableTensors, recordSchema } from "../../../src/config/record-schema.js";

const records = (record: object) => recordSchema.safeParse(record).success;

test("each recordable tensor is accepted, and nothing else", () => {
  expect(recordSchema.parse({ tensors: [...recordableTensors] }).tensors).toEqual(["wte", "wte.grad", "wte.exp_avg", "wte.exp_avg_sq"]);
  expect(records({ tensors: ["wpe"] })).toBe(false);
  expect(records({ tensors: "wte" })).toBe(false);
});

test("rows are a name or a list of token ids, and the list is not empty", () => {
  for (const rows of ["all", "dead", [0], [5, 3]]) expect(records({ rows })).toBe(true);
  for (const rows of ["live", [], [-1], [1.5], ["a"], 3, null]) expect(records({ rows })).toBe(false);
});

test("an interval is a whole number of steps from 1", () => {
  for (const every of [0, -1, 1.5, null]) expect(records({ every })).toBe(false);
});

test("checkpoints can be left to the end, and one is always kept", () => {
  expect(checkpointSchema.parse({ every: null, keep: 1 })).toEqual({ every: null, keep: 1 });
  expect(checkpointSchema.safeParse({ every: 0 }).success).toBe(false);
  expect(checkpointSchema.safeParse({ keep: 0 }).success).toBe(false);
});
