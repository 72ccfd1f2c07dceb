import { expect, test } from "vitest";
import { formatDuration } from "../../../../src/commands/terminal/progress.js";

test.each([
  [0, "0 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [185, "3 min 05 s"],
  [3599.4, "59 min 59 s"],
  [7800, "2 h 10 min"],
  [360_000, "100 h 00 min"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
