import { expect, test } from "vitest";
import {
  byteText,
  checkpointSchema,
  hasTokenRows,
  matchingTokens,
  type RecordSchedule,
  recordableTensors,
  recordSchema,
  scheduleSchema,
  stepsOfSchedule,
  stepsUpTo,
} from "../../../src/config/record-schema.js";

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

const range = (first: number, last: number, every = 1) => Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, index) => first + index * every);
/** 10^(i/4) rounded half up, up to 1000, written out by hand. */
const fourADecade = [1, 2, 3, 6, 10, 18, 32, 56, 100, 178, 316, 562, 1000];

test.each<[RecordSchedule, number, number[]]>([
  [1, 3, [0, 1, 2, 3]],
  [7, 20, [0, 7, 14, 20]],
  [[5, 2, 99], 10, [0, 2, 5, 10]],
  ["every 3", 10, [0, 3, 6, 9, 10]],
  ["0..100, every 10 to 1000, every 100", 2050, [...range(0, 100), ...range(110, 1000, 10), ...range(1100, 2000, 100), 2050]],
  ["3..5, every 4 to 9, 20..21", 30, [0, 3, 4, 5, 8, 20, 21, 30]],
  ["log 4", 1000, [0, ...fourADecade]],
  ["0..10,log 4 to 300 , every 250", 1000, [...range(0, 10), 18, 32, 56, 100, 178, 500, 750, 1000]],
  ["0..100, every 10", 1, [0, 1]],
])("the steps of %j up to %i", (schedule, last, expected) => {
  expect(stepsOfSchedule(schedule, last)).toEqual(expected);
});

test("up to a step, only what the schedule says is recorded", () => {
  expect(stepsUpTo("0..2, every 5", 12)).toEqual([0, 1, 2, 5, 10]);
  expect(stepsUpTo(4, 3)).toEqual([0]);
});

test("what is no schedule is refused", () => {
  for (const wrong of [0, -1, 1.5, null, "", "every 0", "every", "0..", "log", "10..5x", [], [-1], "every 5; every 6"]) {
    expect(scheduleSchema.safeParse(wrong).success, String(wrong)).toBe(false);
  }
});

test("a pattern means the tokens whose characters it matches", () => {
  expect(matchingTokens("/[A-C]/", 128)).toEqual([65, 66, 67]);
  expect(matchingTokens("/[a-c]/i", 128)).toEqual([65, 66, 67, 97, 98, 99]);
  expect(matchingTokens("/\\//", 128)).toEqual([47]);
  expect(matchingTokens("/z/", 64)).toEqual([]);
  expect(() => matchingTokens("/[/", 128)).toThrow(SyntaxError);
});

test("with a tokenizer a pattern is matched with the text of its tokens", () => {
  const texts = ["the", " the", "then", null, "<0xE2>"];
  expect(matchingTokens("/^ ?the$/", 5, (token) => texts[token] ?? null)).toEqual([0, 1]);
  expect(matchingTokens("/./", 9, (token) => texts[token] ?? null)).toEqual([0, 1, 2, 4]);
});

test("bytes beyond ASCII are written as numbers, and match no pattern", () => {
  expect([byteText(65), byteText(127), byteText(128), byteText(0xe2)]).toEqual(["A", "\u007f", "<0x80>", "<0xE2>"]);
  expect(matchingTokens("/./", 256).includes(200)).toBe(false);
  expect(matchingTokens("/E/", 256)).toEqual([69]);
});
