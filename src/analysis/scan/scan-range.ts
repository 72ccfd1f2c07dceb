import { itemSizes } from "../../formats/matrix.js";
import { decodeElements } from "../elements.js";
import type { KernelChoice } from "../kernels/load-kernels.js";
import { motionMeter } from "../motion/step-motion.js";
import type { AnalysisSettings, Observation, Observer } from "./observation.js";
import {
  type CountsTable,
  countsTable,
  plainStateScanner,
  type Sightings,
  type StateScanner,
  type StateShape,
  timelineFields,
  wasmStateScanner,
} from "./state-scanner.js";

/** A chunk of about this size stays in the second-level cache between reading, classifying and measuring it. */
const chunkBytes = 512 * 1024;

/** The states `first` to `end − 1` of a history, and the steps that arrive at them. */
export interface ScanRequest extends StateShape {
  readonly first: number;
  readonly end: number;
  readonly settings: AnalysisSettings;
  readonly kernels: KernelChoice;
  /** Where the counts of these states go; new memory when left out. */
  readonly counts?: CountsTable;
}

/** What a range of states told. Plain data: it crosses from a worker thread. */
export interface RangeScan {
  /** `timelineFields` of each state. */
  readonly counts: CountsTable;
  readonly sightings: Sightings;
  /** What each observation came to, in their order. */
  readonly observed: readonly unknown[];
}

/** Copies the states from `first` on into `target`, which holds `count` of them. */
type ReadStates = (first: number, count: number, target: Uint8Array) => void;

/** Decodes states, one after the other, and shows them and their steps to observers. */
class Display {
  readonly #request: ScanRequest;
  readonly #observers: readonly Observer<unknown>[];
  readonly #measure: ReturnType<typeof motionMeter> | undefined;
  #previous: Float64Array;
  #current: Float64Array;
  readonly #previousBits: Uint16Array | undefined;

  constructor(request: ScanRequest, observers: readonly Observer<unknown>[]) {
    const { dtype, tokens, dims } = request;
    const hasSteps = observers.some((observer) => observer.step);
    this.#request = request;
    this.#observers = observers;
    this.#previous = new Float64Array(tokens * dims);
    this.#current = new Float64Array(tokens * dims);
    this.#previousBits = dtype === "BF16" && hasSteps ? new Uint16Array(tokens * dims) : undefined;
    this.#measure = hasSteps ? motionMeter({ tokens, dims, isFloat64: dtype === "F64" }) : undefined;
  }

  /** Take the state before the range. */
  start(state: Uint8Array): void {
    decodeElements(this.#request.dtype, state, this.#current);
    for (const observer of this.#observers) observer.before?.(this.#current);
    this.#keep(state);
  }

  show(index: number, state: Uint8Array): void {
    decodeElements(this.#request.dtype, state, this.#current);
    for (const observer of this.#observers) observer.state?.(index, this.#current);
    if (index > 0 && this.#measure) {
      const motion = this.#measure({ previous: this.#previous, current: this.#current, previousBits: this.#previousBits });
      for (const observer of this.#observers) observer.step?.(index, motion);
    }
    this.#keep(state);
  }

  /** Make the current state the previous one. */
  #keep(state: Uint8Array): void {
    [this.#previous, this.#current] = [this.#current, this.#previous];
    if (this.#previousBits) new Uint8Array(this.#previousBits.buffer).set(state);
  }
}

function createScanner(request: ScanRequest, capacity: number): StateScanner {
  const scanner = request.kernels === "wasm" ? wasmStateScanner(request, capacity) : undefined;
  return scanner ?? plainStateScanner(request, capacity);
}

/**
 * Scan a range of states once, front to back, in memory that does not grow with their number (the results excepted).
 *
 * @yields the number of states done, after each chunk.
 */
export function* scanRange(read: ReadStates, request: ScanRequest, observations: readonly Observation<unknown>[]): Generator<number, RangeScan> {
  const { dtype, tokens, dims, first, end } = request;
  const stateBytes = tokens * dims * itemSizes[dtype];
  const capacity = Math.min(Math.max(Math.floor(chunkBytes / stateBytes), 1), Math.max(end - first, 1));
  const scanner = createScanner(request, capacity);
  const observers = observations.map((observation) => observation.observe({ ...request, firstStep: Math.max(first, 1) }));
  const display = observers.length > 0 ? new Display(request, observers) : undefined;
  const counts = request.counts ?? countsTable(end - first, tokens);
  if (first > 0) {
    const before = scanner.states(1);
    read(first - 1, 1, before);
    scanner.scan(1);
    display?.start(before);
    scanner.carry(1);
  }
  for (let done = 0; done < end - first; ) {
    const count = Math.min(capacity, end - first - done);
    const states = scanner.states(count);
    read(first + done, count, states);
    counts.set(scanner.scan(count), done * timelineFields.length);
    for (let index = 0; index < count && display; index++) {
      display.show(first + done + index, states.subarray(index * stateBytes, (index + 1) * stateBytes));
    }
    scanner.carry(count);
    done += count;
    yield done;
  }
  return { counts, sightings: scanner.sightings(), observed: observers.map((observer) => observer.end()) };
}
