import type { KernelChoice } from "../kernels/load-kernels.js";
import type { StepMotion } from "../motion/step-motion.js";
import type { StateShape } from "./state-scanner.js";

/** What bounds and tunes the analyses of a history. */
export interface AnalysisSettings {
  /** Cells that neighbours in the topology differ by at most; by default 1. */
  readonly k: number;
  /** Per-token arrays are left out when they have more entries; by default 10,000. */
  readonly maxTokens: number;
  /** A topology is left out when it has more nodes; by default 10,000. */
  readonly maxNodes: number;
  /** Spreads are left out when there are more dimensions; by default 768. */
  readonly spreadDims: number;
}

/** The settings that a caller names; the others are the default ones. */
export type AnalysisSettingsInput = { readonly [Setting in keyof AnalysisSettings]?: AnalysisSettings[Setting] | undefined };

export const defaultSettings: AnalysisSettings = {
  k: 1,
  // Per-token arrays of larger vocabularies would make a document that no reader opens (GPT-2's 50,257 tokens: 2 MB).
  maxTokens: 10_000,
  // The pairs of 10,000 nodes of 64 dimensions take about a second; those of 100,000 would take minutes.
  maxNodes: 10_000,
  // Above so many dimensions, the eigenvalues of one covariance take more than some ten seconds.
  spreadDims: 768,
};

/** All settings, of which a caller named some. */
export function analysisSettings({ k, maxTokens, maxNodes, spreadDims }: AnalysisSettingsInput): AnalysisSettings {
  return {
    k: k ?? defaultSettings.k,
    maxTokens: maxTokens ?? defaultSettings.maxTokens,
    maxNodes: maxNodes ?? defaultSettings.maxNodes,
    spreadDims: spreadDims ?? defaultSettings.spreadDims,
  };
}

/** What every analysis of a long input takes. */
export interface ScanOptions {
  /** Ends the analysis with an `ABORTED` error. */
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with how many states (or rows) have been read, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Worker threads; by default as many as the processor carries, for long files. 0 reads in this thread. */
  readonly workers?: number | undefined;
  /** By default the SIMD kernels, unless the environment has `BH_BRIDGE_KERNELS=plain`. */
  readonly kernels?: KernelChoice | undefined;
}

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
