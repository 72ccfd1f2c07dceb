import { expect, test } from "vitest";
import { type PruneFacts, prunedBecause, pruneSchema, stepsToLookBack } from "../../../../src/sweep/prune/prune-condition.js";

const facts: PruneFacts = { C: 1, P: 51, unique: 78, loss: 2.5, stillSteps: 30 };

test.each([
  ["C <= 1", "C <= 1 (C is 1)"],
  ["C < 1", undefined],
  ["P>=51", "P>=51 (P is 51)"],
  ["unique > 78", undefined],
  ["loss > 2.4e0", "loss > 2.4e0 (loss is 2.5)"],
  [{ noMotion: 30 }, "noMotion: 30 (no row has moved for 30 steps)"],
  [{ noMotion: 31 }, undefined],
  ["allFrozen", undefined],
  [["allFrozen", "C <= 1"], "C <= 1 (C is 1)"],
])("%j with every 100: %s", (when, reason) => {
  expect(prunedBecause(pruneSchema.parse({ when }), facts)).toBe(reason);
});

test("all are frozen when none has moved since the question before", () => {
  expect(prunedBecause(pruneSchema.parse({ every: 30, when: "allFrozen" }), facts)).toBe("allFrozen (no row has moved for 30 steps)");
});

test("a loss that is not a number meets no bound", () => {
  expect(prunedBecause(pruneSchema.parse({ when: ["loss > 1", "loss <= 1"] }), { ...facts, loss: Number.NaN })).toBeUndefined();
});

test.each(["C = 1", "deadC <= 1", "bored", { noMotion: 0 }, []])("%j is no condition", (when) => {
  expect(pruneSchema.safeParse({ when }).success).toBe(false);
});

test("it is looked back as far as a condition needs", () => {
  expect(stepsToLookBack(pruneSchema.parse({ every: 10, when: ["C <= 1"] }))).toBe(0);
  expect(stepsToLookBack(pruneSchema.parse({ every: 10, when: "allFrozen" }))).toBe(10);
  expect(stepsToLookBack(pruneSchema.parse({ every: 10, when: ["allFrozen", { noMotion: 25 }] }))).toBe(25);
});
