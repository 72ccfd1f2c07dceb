import { expect, test } from "vitest";
import type { Observation } from "../../../../src/analysis/scan/observation.js";
import { mergeRanges, type RangeFindings } from "../../../../src/analysis/scan/scan-history.js";

const joining: Observation<string> = { observe: () => ({ end: () => "" }), merge: (first, second) => first + second };

function range(seen: Partial<RangeFindings["sightings"]>, ...observed: string[]): RangeFindings {
  return { sightings: { nonzero: false, finite: false, moved: false, nonfiniteTokens: Uint8Array.of(0, 0, 0), ...seen }, observed };
}

test("what was seen in some range was seen, and what each observation told is merged in order, by itself", () => {
  const ranges = [
    range({ nonzero: true, nonfiniteTokens: Uint8Array.of(1, 0, 0) }, "a", "x"),
    range({ finite: true }, "b", "y"),
    range({ nonfiniteTokens: Uint8Array.of(1, 0, 1) }, "c", "z"),
  ];
  expect(mergeRanges(ranges, [joining, joining])).toEqual({
    sightings: { nonzero: true, finite: true, moved: false, nonfiniteTokens: Uint8Array.of(1, 0, 1) },
    observed: ["abc", "xyz"],
  });
});

test("one range is what it is", () => {
  const alone = range({ moved: true }, "a");
  expect(mergeRanges([alone], [joining])).toEqual(alone);
});
