import { expect, test, vi } from "vitest";
import { stopLadder } from "../../../src/python/stop-ladder.js";

function rungs(endAt: number) {
  const acts: number[] = [];
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const ladder = [100, 200, Number.POSITIVE_INFINITY].map((graceMs, index) => ({
    act: () => {
      acts.push(index);
      if (index === endAt) end();
    },
    graceMs,
  }));
  return { acts, ended, ladder };
}

test.each([
  [0, [0], 0],
  [1, [0, 1], 100],
  [2, [0, 1, 2], 300],
])("what ends at rung %i is met by the rungs %j after %i ms", async (endAt, expected, after) => {
  vi.useFakeTimers();
  const { acts, ended, ladder } = rungs(endAt);
  const climbed = stopLadder(ended, ladder);
  await vi.advanceTimersByTimeAsync(after);
  await climbed;
  expect(acts).toEqual(expected);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
