import { join } from "node:path";
import { allSeries, ownAnalyses, type SeriesName } from "../analysis/analyses.js";
import { decodeElements } from "../analysis/elements.js";
import { type PathBasis, seenFrom } from "../analysis/geometry/path-basis.js";
import { scanHistory } from "../analysis/scan/scan-history.js";
import type { LiveMeasure } from "../analysis/series.js";
import { spreadStates } from "../analysis/states.js";
import { timelineAnalysis } from "../analysis/timeline/analysis.js";
import { timelineOf } from "../analysis/timeline/timeline.js";
import { BhBridgeError } from "../errors.js";
import { containedFile, FileBytes } from "../formats/file-bytes.js";
import { type History, stepOfState } from "../formats/history.js";
import { indexRecordBytes, isSoundRecord, lossOfRecord, stepOfRecord } from "../formats/index-record.js";
import { itemSizes } from "../formats/matrix.js";
import { RawReader } from "../formats/state-checks.js";
import { stepsDone } from "../runs/history-index.js";
import { historyFile, indexPathOf } from "../runs/run-layout.js";

/** So much of a history is read for its counts; of a longer one every second state, every fourth, … */
const countedBytes = 256 * 2 ** 20;
/** A state is decoded for its geometry, which takes some fifty times as long as its counts. */
const measuredBytes = 24 * 2 ** 20;
const mostMeasured = 400;
const mostNumbers = 1 << 22;

/** Series of single states, by name: an entry for each measured state, at the step after which it was recorded. */
type MeasuredSeries = { readonly [Name in SeriesName]?: number[] };

/** What is measured of single states: the counts of the timeline, and the live measures of the other analyses. */
interface StateMeasures {
  readonly counts: { readonly every: number; readonly steps: number[] } & MeasuredSeries;
  readonly places: { readonly every: number; readonly steps: number[] } & MeasuredSeries;
}

/** The series that are counted: those of the timeline. */
const counted = allSeries.filter(({ analysis }) => analysis === timelineAnalysis.name);
const liveMeasures: readonly LiveMeasure[] = ownAnalyses.flatMap(({ live }): LiveMeasure[] => (live ? [live] : []));
/** The series that are measured live, in the order of all series. */
const measured = allSeries.filter(({ name }) => liveMeasures.some(({ series }) => series.includes(name)));

/** Measures of a run that nobody has analysed, taken while it is looked at: states that have been measured are not read again. */
export class MeasuredStates {
  #states = 0;
  #measures: StateMeasures | undefined;
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
      const found = look(state);
      places.steps.push(stepOfState(history, state));
      for (const { name } of measured) places[name]?.push(found[name] ?? Number.NaN);
      if (performance.now() - since < 20) continue;
      await new Promise(setImmediate); // others are answered in between
      since = performance.now();
    }
  }
}

/** Measures single states of a history, all in the same memory: a state can be large. @param isAnalysed whether steps need no measuring */
function stateReader(history: History, isAnalysed: boolean): (state: number) => Readonly<Record<string, number>> {
  const { dtype, tokens, dims } = history;
  const bytes = new Uint8Array(tokens * dims * itemSizes[dtype]);
  const current = new Float64Array(tokens * dims);
  const previous = isAnalysed ? undefined : new Float64Array(tokens * dims);
  const decode = (state: number, values: Float64Array) => {
    history.read(state, 1, bytes);
    decodeElements(dtype, bytes, values);
  };
  decode(0, current);
  const measures = liveMeasures.map(({ start }) => start({ tokens, dims, isFloat64: dtype === "F64" }, current));
  return (state) => {
    decode(state, current);
    const before = state === 0 ? undefined : previous;
    if (before) decode(state - 1, before);
    return Object.assign({}, ...measures.map((measure) => measure(current, before)));
  };
}

function stride(states: number, affordable: number): number {
  const needed = states / Math.max(affordable, 1);
  return 2 ** Math.max(0, Math.ceil(Math.log2(needed)));
}

function empty(every: { counts: number; places: number }): StateMeasures {
  const seriesOf = (all: readonly { readonly name: SeriesName }[]): MeasuredSeries => Object.fromEntries(all.map(({ name }) => [name, []]));
  return {
    counts: { every: every.counts, steps: [], ...seriesOf(counted) },
    places: { every: every.places, steps: [], ...seriesOf(measured) },
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
  const timeline = timelineOf((await scanHistory(part, [], { workers: 0 })).counts);
  for (const state of chosen) counts.steps.push(stepOfState(history, state));
  for (const { name, of } of counted) for (const value of of?.(timeline) ?? []) counts[name]?.push(value ?? Number.NaN);
}

/** A line of a chart: rising x, and a y for each; NaN where there is none. */
export interface Line {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** The loss of every recorded step, from the index of a run's history; nothing where there is none. A hundredth of the time that the event log takes. */
export function statesLosses(directory: string): Line | undefined {
  let file: FileBytes;
  try {
    file = new FileBytes(containedFile(directory, indexPathOf(historyFile)));
  } catch {
    return undefined; // a run that has not got that far
  }
  try {
    const records = Math.floor(file.size / indexRecordBytes);
    const bytes = Buffer.from(file.read(0, records * indexRecordBytes, "its records").buffer);
    const committed = stepsDone(join(directory, historyFile)) ?? -1;
    const line = { x: [] as number[], y: [] as number[] };
    for (let at = 0, last = -1; at < records; at++) {
      const step = stepOfRecord(bytes, at);
      if (step <= last) break; // what follows has room, and no record yet
      if (at <= committed && !isSoundRecord(bytes, at))
        throw new BhBridgeError("RUN_CORRUPT", `${file.path} is damaged: record ${at} does not have its own CRC-32`);
      last = step;
      const loss = lossOfRecord(bytes, at);
      if (Number.isNaN(loss)) continue;
      line.x.push(step);
      line.y.push(loss);
    }
    return line;
  } finally {
    file.close();
  }
}

/** Where a row was at states evenly spread over its history. */
interface RowPath {
  states: number[];
  /** Coordinates in the basis, one list a state. */
  places: number[][];
}

/** A checksum is of a whole state, so that a row of a large one costs the reading of all rows: the path then has fewer states. */
const checkedBytes = 256 * 2 ** 20;

/**
 * The way of one row through the whole training, in the directions of a basis. What the states' checksums need is read beside its own bytes.
 *
 * @throws {BhBridgeError} `USAGE` for a row that there is not; `FORMAT_UNSUPPORTED` where the states do not lie in a plain file.
 */
export function rowPath(history: History, basis: Pick<PathBasis, "center" | "axes">, row: number, most: number): RowPath {
  const { states, tokens, dims, dtype, raw, source } = history;
  if (row >= tokens) throw new BhBridgeError("USAGE", `${source} has the rows 0 to ${tokens - 1}, not ${row}`);
  if (!raw) throw new BhBridgeError("FORMAT_UNSUPPORTED", `${source} is packed: the way of one row cannot be read without all others`);
  const rowBytes = dims * itemSizes[dtype];
  const bytes = new Uint8Array(rowBytes);
  const values = new Float64Array(dims);
  const file = new RawReader(raw);
  try {
    const path: RowPath = { states: [], places: [] };
    const affordable = raw.checks ? Math.max(2, Math.floor(checkedBytes / raw.checks.stateBytes)) : most;
    for (const state of spreadStates(states, Math.min(most, affordable))) {
      file.readInto((state * tokens + row) * rowBytes, bytes, `row ${row} of state ${state}`);
      decodeElements(dtype, bytes, values);
      if (!values.every(Number.isFinite)) continue;
      path.states.push(state);
      path.places.push(seenFrom(basis, values));
    }
    return path;
  } finally {
    file.close();
  }
}
