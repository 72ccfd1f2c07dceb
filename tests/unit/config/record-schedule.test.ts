import { expect, test } from "vitest";
import { type RecordSchedule, scheduleSchema, stepsOfSchedule, stepsUpTo } from "../../../src/config/record-schedule.js";

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
