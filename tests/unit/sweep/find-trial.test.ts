import { expect, test } from "vitest";
import { findTrial } from "../../../src/sweep/trial-table.js";

const trials = ["51fd351a2577d90c", "51aa351a2577d90c", "a56ab081b925610e"].map((trial) => ({
  ...{ trial, status: "planned" as const, run: null, set: {}, reason: null, result: null },
}));

test("a trial is found by its identity, and by a beginning that is its own", () => {
  expect(findTrial(trials, "51fd351a2577d90c")).toBe(trials[0]);
  expect(findTrial(trials, "a")).toBe(trials[2]);
});

test.each([
  ["51", /"51" matches several trials: 51fd351a2577d90c, 51aa351a2577d90c$/],
  ["7", /there is no trial "7"; there are 51fd351a2577d90c, 51aa351a2577d90c, a56ab081b925610e/],
])("%s is refused with those that there are", (given, message) => {
  expect(() => findTrial(trials, given)).toThrow(message);
});
