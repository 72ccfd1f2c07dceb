import { expect, test } from "vitest";
import { type ExactValues, legendValue, type Recording } from "../../../../web/src/chart/exact-values.js";

const lineOf = (recording: Recording) => ({ label: "", x: recording.x, y: recording.y, colour: "", recording });
const reduced = { keys: ["a"], x: [0, 3, 9], y: [5, 8, 2], isReduced: true };

test("of a reduced line, the value of a kept step is read at once, and another step once the server has answered", () => {
  expect(legendValue(lineOf(reduced), 3, null)).toEqual({ step: 3, value: 8 });
  expect(legendValue(lineOf(reduced), null, null)).toEqual({ step: 9, value: 2 });
  expect(legendValue(lineOf(reduced), 4, null)).toBeUndefined();
  const answer: ExactValues = { step: 4, values: new Map([["a", { step: 4, value: 7, smooth: 6 }]]) };
  expect(legendValue(lineOf(reduced), 4, answer)).toEqual({ step: 4, value: 7, smooth: 6 });
  expect(legendValue(lineOf(reduced), 5, answer)).toBeUndefined();
});

test("a complete line is read without the server, with its smoothed value", () => {
  const whole = { keys: ["a"], x: [10, 20], y: [1, 2], smooth: [1, 1.5] };
  expect(legendValue(lineOf(whole), 19, null)).toEqual({ step: 10, value: 1, smooth: 1 });
  expect(legendValue(lineOf(whole), 9, null)).toBeUndefined();
});

test("the mean of several recordings is that of their recorded values", () => {
  const answer: ExactValues = {
    step: 4,
    values: new Map([
      ["a", { step: 4, value: 7 }],
      ["b", { step: 4, value: 10 }],
    ]),
  };
  expect(legendValue(lineOf({ ...reduced, keys: ["a", "b"] }), 4, answer)).toEqual({ step: 4, value: 8.5 });
});
