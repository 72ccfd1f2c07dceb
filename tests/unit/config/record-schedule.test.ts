import { expect, test } from "vitest";
import { scheduleSchema, stepsOfSchedule, stepsUpTo } from "../../../src/config/record-schedule.js";
import { expectedFrom } from "../formats/reference-python.js";

const schedules = [
  1,
  7,
  [5, 2, 99],
  "every 3",
  "0..100, every 10 to 1000, every 100",
  "log 20",
  "0..10,log 7 to 400 , every 250",
  "3..5, every 4 to 9, 20..21",
];
const lasts = [1, 13, 300, 2050];

test("the steps of a schedule are those that Python records", () => {
  const expected = expectedFrom(
    `
import json, sys
sys.path.insert(0, "python")
from bh_bridge.recording.schedule import Schedule
schedules, lasts = json.loads(sys.argv[1])
print(json.dumps([[[s for s in range(last + 1) if Schedule(each, 0, last).has(s)] for last in lasts] for each in schedules]))`,
    JSON.stringify([schedules, lasts]),
  );
  expect(schedules.map((schedule) => lasts.map((last) => stepsOfSchedule(schedule, last)))).toEqual(expected);
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
