import { mergeClouds } from "../point-cloud.js";
import type { GeometryRange } from "./geometry-scan.js";
import type { MotionRange, NormSeries } from "./motion-scan.js";
import type { RangeScan } from "./scan-range.js";
import type { Sightings } from "./state-scanner.js";

function joined(first: Float64Array, second: Float64Array): Float64Array {
  const both = new Float64Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function joinedNorms(first: NormSeries, second: NormSeries): NormSeries {
  return {
    meanL1: joined(first.meanL1, second.meanL1),
    maxL1: joined(first.maxL1, second.maxL1),
    meanL2: joined(first.meanL2, second.meanL2),
    maxL2: joined(first.maxL2, second.maxL2),
    meanLinf: joined(first.meanLinf, second.meanLinf),
    maxLinf: joined(first.maxLinf, second.maxLinf),
  };
}

/** For each token the later step: steps are numbered from 1, and 0 says that there was none. */
function later(first: Int32Array, second: Int32Array): Int32Array {
  return first.map((step, token) => Math.max(step, second[token] ?? 0));
}

function mergeMotion(first: MotionRange, second: MotionRange): MotionRange {
  return {
    weight: joinedNorms(first.weight, second.weight),
    lattice: joinedNorms(first.lattice, second.lattice),
    stillFraction: joined(first.stillFraction, second.stillFraction),
    bulk: joined(first.bulk, second.bulk),
    thermal: joined(first.thermal, second.thermal),
    participation: joined(first.participation, second.participation),
    lastChange: later(first.lastChange, second.lastChange),
    lastMotion: later(first.lastMotion, second.lastMotion),
    lastEarly: later(first.lastEarly, second.lastEarly),
    lastMidlife: later(first.lastMidlife, second.lastMidlife),
    lastLate: later(first.lastLate, second.lastLate),
  };
}

function mergeGeometry(first: GeometryRange, second: GeometryRange): GeometryRange {
  return {
    centroidNorm: joined(first.centroidNorm, second.centroidNorm),
    maxRadius: joined(first.maxRadius, second.maxRadius),
    meanRadius: joined(first.meanRadius, second.meanRadius),
    rmsRadius: joined(first.rmsRadius, second.rmsRadius),
    pathLength: first.pathLength + second.pathLength,
    path: mergeClouds(first.path, second.path),
  };
}

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

/** What two ranges that follow each other told, as if they had been one. */
export function mergeRanges(first: RangeFindings, second: RangeFindings): RangeFindings {
  return {
    sightings: mergeSightings(first.sightings, second.sightings),
    ...(first.motion && second.motion && { motion: mergeMotion(first.motion, second.motion) }),
    ...(first.geometry && second.geometry && { geometry: mergeGeometry(first.geometry, second.geometry) }),
  };
}
