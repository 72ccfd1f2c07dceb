import { join } from "node:path";
import { allSeries, ownAnalyses } from "../analysis/analyses.js";
import type { AnalysisDocument } from "../analysis/analysis-document.js";
import { census } from "../analysis/census/census.js";
import type { PathBasis } from "../analysis/geometry/path-basis.js";
import { lifeOrder } from "../analysis/timeline/token-lives.js";
import { BhBridgeError } from "../errors.js";
import { groupedSpans, keptPoints, smoothed, smoothingWeight, spanRows } from "../figures/reduce-figure.js";
import { marksOfLives } from "../figures/runs/tokens.js";
import { type History, readState, stepOfState } from "../formats/history.js";
import { itemSizes } from "../formats/matrix.js";
import { readForeign } from "../runner/foreign-run.js";
import { openHistory } from "../runs/open-history.js";
import { readAnalysis } from "../runs/recorded-run.js";
import { runClock } from "../runs/run-clock.js";
import { foreignLog, runFiles } from "../runs/run-layout.js";
import { readRunManifest } from "../runs/run-manifest.js";
import type { ServedRun } from "./catalogue.js";
import type {
  BasisDocument,
  CensusOfStateDocument,
  Clock,
  HistoryDocument,
  LineQuery,
  RowPathDocument,
  Series,
  SeriesDocument,
  TokensDocument,
} from "./documents.js";
import { fileIdentity } from "./lock-watch.js";
import { RunLog, rateOf } from "./run-log.js";
import { type Line, MeasuredStates, rowPath, statesLosses, TrackedTokens } from "./state-measures.js";

/** Lines of an analysis; the first value is of state `from`. */
type Analysed = readonly { name: string; from: 0 | 1; values: readonly (number | null)[] }[];

const maxTokens = 65_536;

/** The data of one run for the page except its summary, read on demand and cached until its files change. */
export class RunView {
  readonly #directory: string;
  readonly #log: RunLog;
  readonly #measured = new MeasuredStates();
  readonly #tokens = new TrackedTokens();
  readonly #isForeign: boolean;
  #analysis: { signature: string; lines: Analysed } | undefined;
  #basis: BasisDocument | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    this.#log = new RunLog(directory);
    this.#isForeign = foreignLog(directory) !== undefined;
  }

  get events(): RunLog["events"] {
    this.#log.update();
    return this.#log.events;
  }

  async series({ id, row }: ServedRun, query: LineQuery): Promise<SeriesDocument> {
    this.#log.update();
    const notes: string[] = [];
    const lines = this.#isForeign ? await this.#foreignLines() : [...this.#trainingLines(), ...(await this.#stateLines(notes))];
    const series = lines.map(([name, line]) => ({ name, ...sentLine(name, line, query) }));
    const done = this.#log.steps.at(-1)?.step ?? row.steps?.done ?? 0;
    return {
      schema: "bh-bridge/serve-series@1",
      id,
      step: done,
      planned: row.steps?.planned ?? done,
      series: series.filter(({ y }) => y.some((value) => value !== null)),
      clock: query.step === undefined ? this.clock() : null,
      notes,
    };
  }

  /** One line by name; undefined if the run has none. The loss is read without the long event log. */
  async line(name: string, query: LineQuery): Promise<Omit<Series, "name"> | undefined> {
    const found = name === "loss" && !this.#isForeign ? statesLosses(this.#directory) : undefined;
    const line = found ?? (await this.#lineByName(name));
    return line && sentLine(name, line, query);
  }

  clock(): Clock | null {
    this.#log.update();
    return runClock(this.#log.steps);
  }

  async history({ id }: ServedRun): Promise<HistoryDocument> {
    const history = await this.open();
    try {
      const { states, tokens, dims, dtype, steps, rowTokens } = history;
      if (tokens > maxTokens) throw new BhBridgeError("FORMAT_UNSUPPORTED", `its states have ${tokens} rows, more than the maximum of ${maxTokens}`);
      const dead = new Set(readRunManifest(this.#directory).corpus.deadTokens);
      const rows = Array.from({ length: tokens }, (_, row) => row);
      return {
        schema: "bh-bridge/serve-history@1",
        id,
        states,
        tokens,
        dims,
        dtype,
        stateBytes: tokens * dims * itemSizes[dtype],
        steps: steps ? [...steps] : null,
        ids: rowTokens.ids ? [...rowTokens.ids] : null,
        texts: rows.map((row) => rowTokens.text?.(rowTokens.ofRow(row)) ?? null),
        dead: rows.filter((row) => dead.has(rowTokens.ofRow(row))),
      };
    } finally {
      history.close();
    }
  }

  /** The basis of the path, fixed once there are enough states. */
  async basis(): Promise<BasisDocument> {
    if (this.#basis) return this.#basis;
    const { pathBasis } = await import("../analysis/geometry/path-basis.js");
    const history = await this.open();
    try {
      const basis = basisDocument(await pathBasis(history, basisSize));
      if (history.states > enoughStates) this.#basis = basis;
      return basis;
    } finally {
      history.close();
    }
  }

  /** The positions of a row in a basis: its own, or the one that it shares with another run. */
  async path(row: number, most: number, { mean, directions, components }: BasisDocument): Promise<RowPathDocument> {
    const dims = mean.length;
    const axes = Array.from({ length: components }, (_, axis) => Float64Array.from(directions.slice(axis * dims, (axis + 1) * dims)));
    const history = await this.open();
    try {
      return { schema: "bh-bridge/serve-path@1", row, ...rowPath(history, { center: Float64Array.from(mean), axes }, row, most) };
    } finally {
      history.close();
    }
  }

  async census(state: number): Promise<CensusOfStateDocument> {
    const history = await this.open();
    try {
      const { rows, unique, C, P, populations, members } = census(readState(history, state));
      const holes = members.map((tokens, hole) => ({ population: populations[hole] ?? tokens.length, tokens: [...tokens] }));
      return { schema: "bh-bridge/serve-census@1", state, step: stepOfState(history, state), rows, unique, C, P, holes };
    } finally {
      history.close();
    }
  }

  /** The black hole of every token over the steps. */
  async tokens({ id }: ServedRun): Promise<TokensDocument> {
    const { lives, every, steps, rowTokens } = await this.#tokens.of(() => this.open());
    const dead = new Set(readRunManifest(this.#directory).corpus.deadTokens);
    const isDead = (row: number) => dead.has(rowTokens.ofRow(row));
    const order = lifeOrder(lives, isDead);
    const mark = marksOfLives(lives, order, steps, isDead);
    const { starts, held, areEqual } = spanRows(mark);
    const { row, from, to, hole } = held === 1 ? mark : groupedSpans(mark, starts);
    return {
      schema: "bh-bridge/serve-tokens@1",
      id,
      first: steps[0] ?? 0,
      last: steps.at(-1) ?? 0,
      every,
      tokens: lives.rows,
      order,
      starts: [...starts],
      held,
      areEqual,
      holes: { count: lives.holes.length, largest: lives.holes.slice(0, namedHoles).map(({ largest }) => largest) },
      spans: { row: [...row], from: [...from], to: [...to], hole: [...hole] },
    };
  }

  /** Open the history, which the caller closes. @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for a log of another program; as `openHistory`. */
  async open(): Promise<History> {
    if (this.#isForeign) throw new BhBridgeError("FORMAT_UNSUPPORTED", "This is a log of another program, without snapshots of the embedding.");
    return openHistory(this.#directory);
  }

  async #lineByName(name: string): Promise<Line | undefined> {
    if (this.#isForeign) return (await this.#foreignLines()).find(([each]) => each === name)?.[1];
    this.#log.update();
    const own = this.#trainingLines().find(([each]) => each === name);
    return (own ?? (await this.#stateLines([])).find(([each]) => each === name))?.[1];
  }

  /** Lines of a log of another program, as far as the page has charts for them. */
  async #foreignLines(): Promise<[string, Line][]> {
    const { lines } = await readForeign(this.#directory);
    return [...lines].flatMap(([key, line]) => {
      const name = loggedName(key);
      return name === undefined ? [] : [[name, line]];
    });
  }

  #trainingLines(): [TrainingLine, Line][] {
    const { steps, events } = this.#log;
    const x = steps.map(({ step }) => step);
    const logged = new Map<TrainingLine, { x: number[]; y: number[] }>();
    for (const event of events) {
      const numbers = event.type === "log" ? event.logs : event.type === "evaluate" ? event.metrics : {};
      for (const [key, value] of Object.entries(numbers)) {
        const name = loggedName(key);
        if (name === undefined) continue;
        const line = logged.get(name) ?? { x: [], y: [] };
        line.x.push(event.global_step);
        line.y.push(value);
        logged.set(name, line);
      }
    }
    return [["loss", { x, y: steps.map(({ loss }) => loss) }], ...logged, ["rate", rateOf(steps)]];
  }

  async #stateLines(notes: string[]): Promise<[string, Line][]> {
    const analysed = this.#analysed();
    if (analysed) {
      const history = await this.open();
      const { steps, states } = history;
      history.close();
      const lines = analysed.flatMap(({ name, from, values }): [string, Line][] => {
        if (values.length + from > states) return [];
        return [[name, { x: values.map((_, at) => steps?.[at + from] ?? at + from), y: values.map((value) => value ?? Number.NaN) }]];
      });
      const { places } = await this.#measured.of(() => this.open(), true);
      const known = new Set(lines.map(([name]) => name));
      const beside = unreported.flatMap(({ name }): [string, Line][] => {
        const y = places[name];
        return y && !known.has(name) ? [[name, { x: places.steps, y }]] : [];
      });
      return [...lines, ...beside];
    }
    try {
      const { counts, places } = await this.#measured.of(() => this.open(), false);
      if (counts.every > 1) notes.push(`Black holes are counted in 1 of ${counts.every} states; "bh-bridge analyze" counts them in all`);
      if (places.every > 1) notes.push(`Radius, displacement and motion are measured in 1 of ${places.every} states; "bh-bridge analyze" measures all`);
      const { every: _, steps: counted, ...numbers } = counts;
      const { every: __, steps: measured, ...figures } = places;
      return [
        ...Object.entries(numbers).map(([name, y]): [string, Line] => [name, { x: counted, y }]),
        ...Object.entries(figures).map(([name, y]): [string, Line] => [name, { x: measured, y }]),
      ];
    } catch (error) {
      if (!(error instanceof BhBridgeError)) throw error;
      notes.push(error.message);
      return [];
    }
  }

  #analysed(): Analysed | undefined {
    const signature = fileIdentity(join(this.#directory, runFiles.analysis));
    if (signature === "") return undefined;
    if (this.#analysis?.signature !== signature) {
      const document = readAnalysis(this.#directory);
      if (!document?.timeline) return undefined;
      this.#analysis = { signature, lines: analysedLines(document) };
    }
    return this.#analysis?.lines;
  }
}

/** A basis as the page gets it. */
function basisDocument({ center, axes, reach, explained }: PathBasis): BasisDocument {
  return {
    schema: "bh-bridge/serve-basis@1",
    mean: [...center],
    directions: axes.flatMap((axis) => [...axis]),
    components: axes.length,
    reach: [...reach],
    explained: [...explained],
  };
}

/** Black holes whose largest population the picture of tokens shows. */
const namedHoles = 16;

/** Number of directions for the page's tour, and the size of their sample, which is computed at once. */
const basisSize = { axes: 8, work: 3e7, mostDims: 256 };
/** Shorter paths do not determine their directions. */
const enoughStates = 100;

/** Names of the page for the logs of HF. */
const loggedNames = { loss: "mean loss", eval_loss: "held-out loss", learning_rate: "learning rate", grad_norm: "gradient norm" } as const;

/** The lines from a run's event log. */
export type TrainingLine = "loss" | "rate" | (typeof loggedNames)[keyof typeof loggedNames];

function loggedName(key: string): TrainingLine | undefined {
  return Object.hasOwn(loggedNames, key) ? loggedNames[key as keyof typeof loggedNames] : undefined;
}

const onRequest: readonly string[] = ownAnalyses.flatMap(({ name, isOnRequest }) => (isOnRequest ? [name] : []));
/** Series that the default analysis does not report, which are also measured live for an analysed run. */
const unreported = allSeries.filter(({ per, of, analysis }) => per === "state" && (of === undefined || onRequest.includes(analysis)));

function analysedLines(document: AnalysisDocument): Analysed {
  return allSeries.flatMap(({ name, analysis, per, of }) => {
    const part = document[analysis];
    const values = part && of?.(part);
    return values ? [{ name, from: per === "state" ? 0 : 1, values }] : [];
  });
}

/** Training quantities, which vary from step to step with the batch. */
const noisy: ReadonlySet<string> = new Set<TrainingLine>(["loss", "gradient norm", "rate"]);

/** A line for JSON, without non-finite numbers: no longer than a chart can show, or its values at the requested steps. */
function sentLine(name: string, line: Line, query: LineQuery): Omit<Series, "name"> {
  const y = line.y.map((value) => (Number.isFinite(value) ? value : null));
  const weight = weightOf(name, y, query.smooth);
  const smooth = weight === 0 ? undefined : smoothed(y, weight);
  const chosen = chosenPoints({ x: line.x, y }, query);
  const isWhole = query.step !== undefined || query.steps !== undefined || chosen.length === y.length;
  return {
    x: chosen.map((at) => line.x[at] ?? 0),
    y: chosen.map((at) => y[at] ?? null),
    ...(smooth && { smooth: chosen.map((at) => smooth[at] ?? null) }),
    ...(!isWhole && { isReduced: true as const }),
  };
}

/** The weight of the mean that is added to a line; 0 for none. Counts are never smoothed. */
function weightOf(name: string, y: readonly (number | null)[], smooth: LineQuery["smooth"] = 0): number {
  if (smooth === "auto") return noisy.has(name) ? smoothingWeight(y.length) : 0;
  return smooth === 0 || y.every((value) => value === null || Number.isInteger(value)) ? 0 : smooth;
}

/** Indices of the points of a line to send. */
function chosenPoints({ x, y }: { x: readonly number[]; y: readonly (number | null)[] }, query: LineQuery): number[] {
  const { points, from = 0, to = Number.POSITIVE_INFINITY, step, steps } = query;
  if (step !== undefined) {
    const last = x.findLastIndex((each, at) => each <= step && y[at] !== null);
    return last < 0 ? [] : [last];
  }
  if (steps) {
    const wanted = new Set(steps);
    return [...x.keys()].filter((at) => wanted.has(x[at] ?? Number.NaN));
  }
  const within = [...x.keys()].filter((at) => (x[at] ?? 0) >= from && (x[at] ?? 0) <= to);
  const part = { x: within.map((at) => x[at] ?? 0), y: within.map((at) => y[at] ?? null) };
  return keptPoints(part, points, ["linear", "symlog"], "straight").map((at) => within[at] ?? 0);
}

interface ViewedRun {
  readonly run: ServedRun;
  readonly view: RunView;
}

/** Maximum number of cached bases of two runs, which take up to a few hundred kilobytes each. */
const cachedBases = 16;

/** Bases that two runs share. The order of the runs does not matter: both addresses show the same view. */
export class SharedBases {
  readonly #known = new Map<string, BasisDocument>();

  /** @throws {BhBridgeError} as `sharedBasis`; as opening a history. */
  async of(...runs: readonly [ViewedRun, ViewedRun]): Promise<BasisDocument> {
    const [first, second] = runs[0].run.id < runs[1].run.id ? runs : [runs[1], runs[0]];
    const key = `${first.run.id} ${second.run.id}`;
    const known = this.#known.get(key);
    if (known) return known;
    const { sharedBasis } = await import("../analysis/geometry/path-basis.js");
    const ours = await first.view.open();
    try {
      const theirs = await second.view.open();
      try {
        const basis = basisDocument(await sharedBasis([ours, theirs], basisSize));
        if (Math.min(ours.states, theirs.states) > enoughStates) this.#keep(key, basis);
        return basis;
      } finally {
        theirs.close();
      }
    } finally {
      ours.close();
    }
  }

  #keep(key: string, basis: BasisDocument): void {
    this.#known.set(key, basis);
    const [oldest] = this.#known.keys();
    if (this.#known.size > cachedBases && oldest !== undefined) this.#known.delete(oldest);
  }
}
