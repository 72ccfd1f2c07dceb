import { decodeElements } from "../analysis/decode-elements.js";
import { geometryOfValues, type StateGeometry } from "../analysis/geometry-of-values.js";
import { scanHistory } from "../analysis/scan/scan-history.js";
import { motionMeter } from "../analysis/step-motion.js";
import { timelineOf } from "../analysis/timeline.js";
import type { History } from "../formats/history.js";
import { itemSizes } from "../formats/matrix.js";
import { stepOfState } from "../formats/state-of-step.js";

/** So much of a history is read for its counts; of a longer one every second state, every fourth, … */
const countedBytes = 256 * 2 ** 20;
/** A state is decoded for its geometry, which takes some fifty times as long as its counts. */
const measuredBytes = 24 * 2 ** 20;
const mostMeasured = 400;
const mostNumbers = 1 << 22;

/** What is measured of single states: an entry each, by the step that the state was recorded after. */
export interface StateMeasures {
  readonly counts: { readonly every: number; readonly steps: number[]; readonly unique: number[]; readonly C: number[]; readonly P: number[] };
  readonly places: {
    readonly every: number;
    readonly steps: number[];
    readonly centroidNorm: number[];
    readonly meanRadius: number[];
    readonly maxRadius: number[];
    /** Length of the way of the centroid from the first state. */
    readonly displacement: number[];
    /** Mean length of a token's step that arrives at the state. */
    readonly meanStep: number[];
    /** Share of tokens whose row did not change in that step. */
    readonly still: number[];
  };
}

/** Measures of a run that nobody has analysed, taken while it is looked at: states that have been measured are not read again. */
export class MeasuredStates {
  #states = 0;
  #measures: StateMeasures | undefined;
  #origin: Float64Array | undefined;
  #running: Promise<StateMeasures> | undefined;

  /**
   * Measures of all states that a history has now; whoever asks meanwhile gets the same.
   *
   * @param isAnalysed whether an analysis of the run has counted classes and measured steps: neither is done again.
   */
  async of(open: () => Promise<History>, isAnalysed: boolean): Promise<StateMeasures> {
    this.#running ??= this.#update(open, isAnalysed).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #update(open: () => Promise<History>, isAnalysed: boolean): Promise<StateMeasures> {
    const history = await open();
    try {
      const stateBytes = history.tokens * history.dims * itemSizes[history.dtype];
      const every = {
        counts: stride(history.states, countedBytes / stateBytes),
        places: stride(history.states, history.tokens * history.dims > mostNumbers ? 1 : Math.min(measuredBytes / stateBytes, mostMeasured)),
      };
      const before = this.#measures;
      const isContinued =
        before !== undefined && history.states >= this.#states && before.counts.every === every.counts && before.places.every === every.places;
      const measures = isContinued ? before : empty(every);
      const first = isContinued ? this.#states : 0;
      if (!isContinued) this.#origin = undefined;
      if (!isAnalysed) await count(history, measures.counts, first);
      await this.#place(history, measures.places, first, isAnalysed);
      this.#states = history.states;
      this.#measures = measures;
      return measures;
    } finally {
      history.close();
    }
  }

  async #place(history: History, places: StateMeasures["places"], first: number, isAnalysed: boolean): Promise<void> {
    const { every } = places;
    const look = stateReader(history, isAnalysed);
    let since = performance.now();
    for (let state = Math.ceil(first / every) * every; state < history.states; state += every) {
      const { geometry, lengths } = look(state);
      const { centroid, centroidNorm, meanRadius, maxRadius } = geometry;
      this.#origin ??= centroid;
      const origin = this.#origin;
      places.steps.push(stepOfState(history, state));
      places.centroidNorm.push(centroidNorm);
      places.meanRadius.push(meanRadius);
      places.maxRadius.push(maxRadius);
      places.displacement.push(Math.sqrt(centroid.reduce((sum, value, dim) => sum + (value - (origin[dim] ?? 0)) ** 2, 0)));
      places.meanStep.push(lengths ? lengths.reduce((sum, length) => sum + length, 0) / lengths.length : Number.NaN);
      places.still.push(lengths ? lengths.filter((length) => length === 0).length / lengths.length : Number.NaN);
      if (performance.now() - since < 20) continue;
      await new Promise(setImmediate); // others are answered in between
      since = performance.now();
    }
  }
}

/** Measures single states of a history, all in the same memory: a state can be large. The lengths hold until the next one is measured. */
function stateReader(history: History, isAnalysed: boolean): (state: number) => { geometry: StateGeometry; lengths?: Float64Array } {
  const { dtype, tokens, dims } = history;
  const bytes = new Uint8Array(tokens * dims * itemSizes[dtype]);
  const current = new Float64Array(tokens * dims);
  const previous = isAnalysed ? undefined : new Float64Array(tokens * dims);
  const measure = previous && motionMeter({ tokens, dims, isFloat64: dtype === "F64" });
  const decode = (state: number, values: Float64Array) => {
    history.read(state, 1, bytes);
    decodeElements(dtype, bytes, values);
  };
  return (state) => {
    decode(state, current);
    const geometry = geometryOfValues(current, tokens, dims);
    if (!previous || !measure || state === 0) return { geometry };
    decode(state - 1, previous);
    return { geometry, lengths: measure({ previous, current, previousBits: undefined }).weight.L2 };
  };
}

function stride(states: number, affordable: number): number {
  const needed = states / Math.max(affordable, 1);
  return 2 ** Math.max(0, Math.ceil(Math.log2(needed)));
}

function empty(every: { counts: number; places: number }): StateMeasures {
  return {
    counts: { every: every.counts, steps: [], unique: [], C: [], P: [] },
    places: { every: every.places, steps: [], centroidNorm: [], meanRadius: [], maxRadius: [], displacement: [], meanStep: [], still: [] },
  };
}

/** Count the classes of every `every`-th state from `first` on; what a state has does not depend on the others. */
async function count(history: History, counts: StateMeasures["counts"], first: number): Promise<void> {
  const { every } = counts;
  const states = Array.from(
    { length: Math.max(0, Math.ceil((history.states - first) / every)) },
    (_, index) => Math.ceil(first / every) * every + index * every,
  );
  const chosen = states.filter((state) => state < history.states);
  if (chosen.length === 0) return;
  const stateBytes = history.tokens * history.dims * itemSizes[history.dtype];
  const { raw: _, ...readable } = history;
  const part: History = {
    ...readable,
    states: chosen.length,
    read(start, number, target) {
      if (every === 1) history.read((chosen[0] ?? 0) + start, number, target);
      else for (let at = 0; at < number; at++) history.read(chosen[start + at] ?? 0, 1, target.subarray(at * stateBytes, (at + 1) * stateBytes));
    },
  };
  const { unique, C, P } = timelineOf((await scanHistory(part, [], { workers: 0 })).counts);
  for (const [at, state] of chosen.entries()) {
    counts.steps.push(stepOfState(history, state));
    counts.unique.push(unique[at] ?? 0);
    counts.C.push(C[at] ?? 0);
    counts.P.push(P[at] ?? 0);
  }
}
