import { itemSizes } from "../../formats/matrix.js";
import { decodeElements } from "../decode-elements.js";
import type { KernelChoice } from "../kernels/kernel-choice.js";
import { motionMeter, type StepMotion } from "../step-motion.js";
import { type CountsTable, countsTable } from "./counts-table.js";
import { type GeometryRange, GeometryScan } from "./geometry-scan.js";
import { type MotionRange, motionRange, recordMotion } from "./motion-scan.js";
import { plainStateScanner } from "./plain-state-scanner.js";
import { type Sightings, type StateScanner, type StateShape, timelineFields } from "./state-scanner.js";
import { wasmStateScanner } from "./wasm-state-scanner.js";

/** A chunk of about this size stays in the second-level cache between reading, classifying and measuring it. */
const chunkBytes = 512 * 1024;

/** What is measured on the way, besides the classes. */
export interface ScanParts {
  readonly motion: boolean;
  readonly geometry: boolean;
  /** Whether the scatter of the centroid's path is kept. */
  readonly pathSpread: boolean;
}

/** The states `first` to `end − 1` of a history, and the steps that arrive at them. */
export interface ScanRequest extends StateShape {
  readonly first: number;
  readonly end: number;
  readonly parts: ScanParts;
  readonly kernels: KernelChoice;
  /** Where the counts of these states go; new memory when left out. */
  readonly counts?: CountsTable;
}

/** What a range of states told. Plain data: it crosses from a worker thread. */
export interface RangeScan {
  /** `timelineFields` of each state. */
  readonly counts: CountsTable;
  readonly sightings: Sightings;
  readonly motion?: MotionRange;
  readonly geometry?: GeometryRange;
}

/** Copies the states from `first` on into `target`, which holds `count` of them. */
export type ReadStates = (first: number, count: number, target: Uint8Array) => void;

/** Called with the motion of each step, in order; the arrays are used again for the next one. */
export type OnStep = (step: number, motion: StepMotion) => void;

/** Measures decoded states, one after the other. */
class Measurements {
  readonly motion: MotionRange | undefined;
  readonly geometry: GeometryScan | undefined;
  readonly #request: ScanRequest;
  readonly #measure: ReturnType<typeof motionMeter> | undefined;
  readonly #onStep: OnStep | undefined;
  #previous: Float64Array;
  #current: Float64Array;
  readonly #previousBits: Uint16Array | undefined;

  constructor(request: ScanRequest, onStep?: OnStep) {
    const { dtype, tokens, dims, first, end, parts } = request;
    this.#request = request;
    this.#onStep = onStep;
    this.#previous = new Float64Array(tokens * dims);
    this.#current = new Float64Array(tokens * dims);
    this.#previousBits = dtype === "BF16" && parts.motion ? new Uint16Array(tokens * dims) : undefined;
    this.#measure = parts.motion ? motionMeter({ tokens, dims, isFloat64: dtype === "F64" }) : undefined;
    this.motion = parts.motion ? motionRange(end - Math.max(first, 1), tokens) : undefined;
    this.geometry = parts.geometry ? new GeometryScan(end - first, tokens, dims, parts.pathSpread) : undefined;
  }

  /** Take the state before the range. */
  start(state: Uint8Array): void {
    decodeElements(this.#request.dtype, state, this.#current);
    this.geometry?.start(this.#current);
    this.#keep(state);
  }

  measure(index: number, state: Uint8Array): void {
    const { dtype, dims, first } = this.#request;
    decodeElements(dtype, state, this.#current);
    this.geometry?.record(index - first, this.#current);
    if (index > 0 && this.#measure && this.motion) {
      const motion = this.#measure({ previous: this.#previous, current: this.#current, previousBits: this.#previousBits });
      recordMotion(this.motion, index - Math.max(first, 1), index, motion, dims);
      this.#onStep?.(index, motion);
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
 * @param onStep called with the motion of each step; the arrays it gets are used again.
 * @yields the number of states done, after each chunk.
 */
export function* scanRange(read: ReadStates, request: ScanRequest, onStep?: OnStep): Generator<number, RangeScan> {
  const { dtype, tokens, dims, first, end, parts } = request;
  const stateBytes = tokens * dims * itemSizes[dtype];
  const capacity = Math.min(Math.max(Math.floor(chunkBytes / stateBytes), 1), Math.max(end - first, 1));
  const scanner = createScanner(request, capacity);
  const measurements = parts.motion || parts.geometry ? new Measurements(request, onStep) : undefined;
  const counts = request.counts ?? countsTable(end - first, tokens);
  if (first > 0) {
    const before = scanner.states(1);
    read(first - 1, 1, before);
    scanner.scan(1);
    measurements?.start(before);
    scanner.carry(1);
  }
  for (let done = 0; done < end - first; ) {
    const count = Math.min(capacity, end - first - done);
    const states = scanner.states(count);
    read(first + done, count, states);
    counts.set(scanner.scan(count), done * timelineFields.length);
    for (let index = 0; index < count && measurements; index++) {
      measurements.measure(first + done + index, states.subarray(index * stateBytes, (index + 1) * stateBytes));
    }
    scanner.carry(count);
    done += count;
    yield done;
  }
  return {
    counts,
    sightings: scanner.sightings(),
    ...(measurements?.motion && { motion: measurements.motion }),
    ...(measurements?.geometry && { geometry: measurements.geometry.range }),
  };
}
