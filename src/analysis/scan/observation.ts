import type { KernelChoice } from "../kernels/load-kernels.js";
import type { StepMotion } from "../motion/step-motion.js";
import type { StateShape } from "./state-scanner.js";

/** Limits and parameters of analyses. */
export interface AnalysisSettings {
  /** Maximum difference of neighbours in the topology, in cells (default: 1). */
  readonly k: number;
  /** Maximum length of per-token arrays; longer ones are omitted (default: 10,000). */
  readonly maxTokens: number;
  /** Maximum number of nodes of a topology; larger ones are omitted (default: 10,000). */
  readonly maxNodes: number;
  /** Maximum number of dimensions for spreads (default: 768). */
  readonly spreadDims: number;
}

/** Settings with defaults for omitted ones. */
export type AnalysisSettingsInput = { readonly [Setting in keyof AnalysisSettings]?: AnalysisSettings[Setting] | undefined };

export const defaultSettings: AnalysisSettings = {
  k: 1,
  // Per-token arrays of larger vocabularies would make documents too large to read (GPT-2's 50,257 tokens: 2 MB).
  maxTokens: 10_000,
  // The pairs of 10,000 nodes of 64 dimensions take about a second; those of 100,000 would take minutes.
  maxNodes: 10_000,
  // With more dimensions, the eigenvalues of one covariance take more than ten seconds.
  spreadDims: 768,
};

/** Settings with defaults for those that are undefined. */
export function analysisSettings(input: AnalysisSettingsInput): AnalysisSettings {
  const names = Object.keys(defaultSettings) as (keyof AnalysisSettings)[];
  return Object.fromEntries(names.map((name) => [name, input[name] ?? defaultSettings[name]])) as Record<keyof AnalysisSettings, number>;
}

/** Options of every analysis of a long input. */
export interface ScanOptions {
  /** Ends the analysis with an `ABORTED` error. */
  readonly signal?: AbortSignal | undefined;
  /** Called repeatedly with the number of states (or rows) read, and their total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Number of worker threads; 0 reads in this thread (default: one per core for long files). */
  readonly workers?: number | undefined;
  /** Default: the SIMD kernels, unless the environment has `BH_BRIDGE_KERNELS=plain`. */
  readonly kernels?: KernelChoice | undefined;
}

/** The states `first` to `end − 1` of a history, and the steps `firstStep` to `end − 1` that lead to them. */
export interface ObservedRange extends StateShape {
  readonly first: number;
  readonly end: number;
  /** `first`, but at least 1: no step leads to state 0. */
  readonly firstStep: number;
  readonly settings: AnalysisSettings;
}

/** Receives the states of a range in order. The arrays are reused: copy what you store. */
export interface Observer<Range> {
  /** The state before the range, if any. `values` is `[tokens, dims]`, row-major, decoded. */
  before?(values: Float64Array): void;
  /** A state of the range, from `first` on; `values` as above. */
  state?(state: number, values: Float64Array): void;
  /** A step of the range, from `firstStep` on. Steps are measured only if some observer has this method. */
  step?(step: number, motion: StepMotion): void;
  /** Called after the last state. Returns plain data, which a worker thread can send. */
  end(): Range;
}

/** Computes results of an analysis in the one pass over a history. */
export interface Observation<Range> {
  /**
   * URL of a module that exports this object as `observation` and has no side effects (`import.meta.url` inside it). Worker threads load it, each for a range of
   * the states. If absent, one thread scans the whole history.
   */
  readonly module?: string;
  observe(range: ObservedRange): Observer<Range>;
  merge(first: Range, second: Range): Range;
}
