import { itemSizes } from "../../formats/matrix.js";
import { decodeElements } from "../elements.js";
import type { KernelChoice } from "../kernels/load-kernels.js";
import { motionMeter } from "../motion/step-motion.js";
import type { AnalysisSettings, Observation, Observer } from "./observation.js";
import { type CountsTable, countsTable, plainStateScanner, type Sightings, type StateShape, timelineFields, wasmStateScanner } from "./state-scanner.js";

/** A chunk of about this size stays in the second-level cache while it is read, classified and measured. */
const chunkBytes = 512 * 1024;

/** The states `first` to `end − 1` of a history, and the steps that lead to them. */
export interface ScanRequest extends StateShape {
  readonly first: number;
  readonly end: number;
  readonly settings: AnalysisSettings;
  readonly kernels: KernelChoice;
  /** Target for the counts of these states (default: new memory). */
  readonly counts?: CountsTable;
}

/** The results of a range of states, as plain data that a worker thread can send. */
export interface RangeScan {
  /** `timelineFields` of each state. */
  readonly counts: CountsTable;
  readonly sightings: Sightings;
  /** The result of each observation, in their order. */
  readonly observed: readonly unknown[];
}

/** Reads `count` states from `first` on into `target`. */
type ReadStates = (first: number, count: number, target: Uint8Array) => void;

/** Decodes states and passes them and their steps to observers. */
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

  /** Pass the state before the range. */
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

/**
 * Scan a range of states once, in order, in constant memory apart from the results.
 * @yields the number of states done, after each chunk.
 */
export function* scanRange(read: ReadStates, request: ScanRequest, observations: readonly Observation<unknown>[]): Generator<number, RangeScan> {
  const { dtype, tokens, dims, first, end } = request;
  const stateBytes = tokens * dims * itemSizes[dtype];
  const capacity = Math.min(Math.max(Math.floor(chunkBytes / stateBytes), 1), Math.max(end - first, 1));
  const scanner = (request.kernels === "wasm" ? wasmStateScanner(request, capacity) : undefined) ?? plainStateScanner(request, capacity);
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
