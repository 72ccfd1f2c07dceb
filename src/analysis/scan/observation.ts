import type { AnalysisSettings } from "../analysis-settings.js";
import type { StepMotion } from "../step-motion.js";
import type { StateShape } from "./state-scanner.js";

/** The states `first` to `end − 1` of a history, and the steps `firstStep` to `end − 1` that arrive at them. */
export interface ObservedRange extends StateShape {
  readonly first: number;
  readonly end: number;
  /** `first`, or 1 where that is 0: no step arrives at state 0. */
  readonly firstStep: number;
  readonly settings: AnalysisSettings;
}

/** Is shown the states of a range, front to back. The arrays that it is given are used again: it copies what it keeps. */
export interface Observer<Range> {
  /** The state before the range, where there is one. `values` is `[tokens, dims]`, row-major, decoded. */
  before?(values: Float64Array): void;
  /** A state of the range, from `first` on; `values` as above. */
  state?(state: number, values: Float64Array): void;
  /** A step of the range, from `firstStep` on. Steps are measured where some observer looks at them. */
  step?(step: number, motion: StepMotion): void;
  /** After the last state: what the range told. Plain data, since it crosses from a worker thread. */
  end(): Range;
}

/** What an analysis looks at in the one pass over a history. */
export interface Observation<Range> {
  /**
   * URL of a module that exports this very object as `observation`, and does nothing else when it is loaded (`import.meta.url` inside it): worker threads
   * load it, each for a range of the states. Without one, this thread scans the whole history by itself.
   */
  readonly module?: string;
  observe(range: ObservedRange): Observer<Range>;
  /** What two ranges that follow each other told, as if they had been one. */
  merge(first: Range, second: Range): Range;
}
