import { join } from "node:path";
import { allSeries, ownAnalyses, type SeriesName } from "../analysis/analyses.js";
import { decodeElements } from "../analysis/elements.js";
import { type PathBasis, seenFrom } from "../analysis/geometry/path-basis.js";
import { runHere } from "../analysis/scan/run-in-parts.js";
import { scanHistory } from "../analysis/scan/scan-history.js";
import { type LiveMeasure, spreadStates } from "../analysis/series.js";
import { timelineAnalysis } from "../analysis/timeline/analysis.js";
import { timelineOf } from "../analysis/timeline/timeline.js";
import { HoleTracker, type TokenLives, trackStates } from "../analysis/timeline/token-lives.js";
import { BhBridgeError } from "../errors.js";
import { containedFile, FileBytes } from "../formats/file-bytes.js";
import { type History, stepOfState } from "../formats/history.js";
import { indexRecordBytes, isSoundRecord, lossOfRecord, stepOfRecord } from "../formats/index-record.js";
import { itemSizes } from "../formats/matrix.js";
import { RawReader } from "../formats/state-checks.js";
import { stepsDone } from "../runs/history-index.js";
import { historyFile, indexPathOf } from "../runs/run-layout.js";

/** Bytes of a history that are read for its counts; of a longer one every second state, every fourth, … */
const countedBytes = 256 * 2 ** 20;
/** Geometry requires decoding, which takes about fifty times as long as counting. */
const measuredBytes = 24 * 2 ** 20;
const maxMeasured = 400;
const maxNumbers = 1 << 22;

/** Series by name, with an entry per measured state. */
type MeasuredSeries = { readonly [Name in SeriesName]?: number[] };

/** The counts of the timeline, and the live measures of the other analyses; `steps` holds the training step of each measured state. */
type Measures = { readonly every: number; readonly steps: number[] } & MeasuredSeries;
type StateMeasures = { readonly counts: Measures; readonly places: Measures };

/** The counted series, which are those of the timeline. */
const counted = allSeries.filter(({ analysis }) => analysis === timelineAnalysis.name);
const liveMeasures: readonly LiveMeasure[] = ownAnalyses.flatMap(({ live }): LiveMeasure[] => (live ? [live] : []));
/** The live series, in the order of all series. */
const measured = allSeries.filter(({ name }) => liveMeasures.some(({ series }) => series.includes(name)));

/** Incremental measures of a run that has not been analysed. */
export class MeasuredStates {
  #states = 0;
  #measures: StateMeasures | undefined;
  #running: Promise<StateMeasures> | undefined;

  /**
   * Measure all current states; concurrent calls share the result.
   * @param isAnalysed whether an analysis of the run has the counts and step measures already.
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
        places: stride(history.states, history.tokens * history.dims > maxNumbers ? 1 : Math.min(measuredBytes / stateBytes, maxMeasured)),
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

  async #place(history: History, places: Measures, first: number, isAnalysed: boolean): Promise<void> {
    const { every } = places;
    const look = stateReader(history, isAnalysed);
    let since = performance.now();
    for (let state = Math.ceil(first / every) * every; state < history.states; state += every) {
      const found = look(state);
      places.steps.push(stepOfState(history, state));
      for (const { name } of measured) places[name]?.push(found[name] ?? Number.NaN);
      if (performance.now() - since < 20) continue;
      await new Promise(setImmediate); // lets other requests proceed
      since = performance.now();
    }
  }
}

/** Measure single states in shared memory. @param isAnalysed whether to omit the measures of steps */
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

/** Follows the black holes of a run that may still train. */
export class TrackedTokens {
  #tracker: HoleTracker | undefined;
  #every = 1;
  #running: Promise<TrackedLives> | undefined;

  /** The lives of all rows so far, of every second, fourth, … snapshot of a long history; concurrent calls share the result. */
  of(open: () => Promise<History>): Promise<TrackedLives> {
    this.#running ??= this.#update(open).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #update(open: () => Promise<History>): Promise<TrackedLives> {
    const history = await open();
    try {
      const { tokens, dims, dtype, states, rowTokens } = history;
      const every = stride(states, countedBytes / (tokens * dims * itemSizes[dtype]));
      const followed = Math.ceil(states / every);
      const before = this.#every === every ? this.#tracker : undefined;
      const tracker = before && before.states <= followed && before.rows === tokens ? before : new HoleTracker(tokens);
      this.#tracker = tracker;
      this.#every = every;
      const { raw: _, ...readable } = history;
      const chosen: History = { ...readable, states: followed, read: (first, count, target) => readEvery(history, every, first, count, target) };
      await runHere(trackStates(chosen, tracker), followed, {});
      const steps = Array.from({ length: followed }, (_step, at) => stepOfState(history, at * every));
      return { lives: tracker.lives(), every, steps, rowTokens };
    } finally {
      history.close();
    }
  }
}

/** The lives of the rows of a history, of every `every`-th snapshot. */
interface TrackedLives extends Pick<History, "rowTokens"> {
  readonly lives: TokenLives;
  readonly every: number;
  readonly steps: readonly number[];
}

/** Read every `every`-th state of a history. */
function readEvery(history: History, every: number, first: number, count: number, target: Uint8Array): void {
  const stateBytes = target.byteLength / count;
  if (every === 1) history.read(first, count, target);
  else for (let at = 0; at < count; at++) history.read((first + at) * every, 1, target.subarray(at * stateBytes, (at + 1) * stateBytes));
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

/** Count the classes of every `every`-th state from `first` on. */
async function count(history: History, counts: Measures, first: number): Promise<void> {
  const { every } = counts;
  const begin = Math.ceil(first / every) * every;
  const chosen = Array.from({ length: Math.max(0, Math.ceil((history.states - begin) / every)) }, (_, index) => begin + index * every);
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

/** A line of a chart with increasing x; missing y are NaN. */
export interface Line {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** The loss of every recorded step from the index of the history, a hundred times faster than from the event log; undefined without an index. */
export function statesLosses(directory: string): Line | undefined {
  let file: FileBytes;
  try {
    file = new FileBytes(containedFile(directory, indexPathOf(historyFile)));
  } catch {
    return undefined; // no index yet
  }
  try {
    const records = Math.floor(file.size / indexRecordBytes);
    const bytes = Buffer.from(file.read(0, records * indexRecordBytes, "its records").buffer);
    const committed = stepsDone(join(directory, historyFile)) ?? -1;
    const line = { x: [] as number[], y: [] as number[] };
    for (let at = 0, last = -1; at < records; at++) {
      const step = stepOfRecord(bytes, at);
      if (step <= last) break; // unused space
      if (at <= committed && !isSoundRecord(bytes, at)) throw new BhBridgeError("RUN_CORRUPT", `${file.path} is damaged: record ${at} has a wrong CRC-32`);
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

/** Coordinates of a row in a basis, one list per state. */
type RowPath = { states: number[]; places: number[][] };

/** Checksums cover whole states, so that reading a row of a large state reads all rows: the path then has fewer states. */
const checkedBytes = 256 * 2 ** 20;

/**
 * The path of one row through the training, in the directions of a basis.
 * @throws {BhBridgeError} `USAGE` for an unknown row; `FORMAT_UNSUPPORTED` if the states are compressed.
 */
export function rowPath(history: History, basis: Pick<PathBasis, "center" | "axes">, row: number, most: number): RowPath {
  const { states, tokens, dims, dtype, raw, source } = history;
  if (row >= tokens) throw new BhBridgeError("USAGE", `${source} has the rows 0 to ${tokens - 1}, not ${row}`);
  if (!raw) throw new BhBridgeError("FORMAT_UNSUPPORTED", `${source} is compressed: the path of one row cannot be read alone`);
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
