import type { Observation } from "./observation.js";
import type { RangeScan } from "./scan-range.js";
import type { Sightings } from "./state-scanner.js";

function mergeSightings(first: Sightings, second: Sightings): Sightings {
  return {
    nonzero: first.nonzero || second.nonzero,
    finite: first.finite || second.finite,
    moved: first.moved || second.moved,
    nonfiniteTokens: first.nonfiniteTokens.map((flag, token) => flag | (second.nonfiniteTokens[token] ?? 0)),
  };
}

/** What a range of states told, beside its counts. */
export type RangeFindings = Omit<RangeScan, "counts">;

/** What ranges that follow each other told, as if they had been one. @param observations those that `observed` came from. */
export function mergeRanges(ranges: readonly RangeFindings[], observations: readonly Observation<unknown>[]): RangeFindings {
  return ranges.reduce((first, second) => ({
    sightings: mergeSightings(first.sightings, second.sightings),
    observed: observations.map((observation, index) => observation.merge(first.observed[index], second.observed[index])),
  }));
}
