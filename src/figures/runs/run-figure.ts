import type { AnalysisName } from "../../analysis/analyses.js";
import type { RecordedRun } from "../../analysis/analysis.js";
import type { AnalysisDocument } from "../../analysis/analysis-document.js";
import { analyze } from "../../analysis/analyze.js";
import type { ScanOptions } from "../../analysis/scan/observation.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import type { History } from "../../formats/history.js";
import type { TrainEvent } from "../../protocol/events.js";
import { openHistory } from "../../runs/open-history.js";
import { readEvents } from "../../runs/read-events.js";
import { readAnalysis, recordedRun } from "../../runs/recorded-run.js";
import { readRunConfig } from "../../runs/run-config.js";
import { type RunManifest, readRunManifest } from "../../runs/run-manifest.js";
import type { Figure, Source } from "../figure.js";

/** The files of a run, each read once when a figure needs it. */
export class RunSource implements Disposable {
  readonly directory: string;
  readonly manifest: RunManifest;
  readonly config: RunConfig;
  readonly scan: ScanOptions;
  readonly #opened = new Map<string, Promise<History>>();
  readonly #close: History[] = [];
  readonly #made = new Map<unknown, unknown>();

  /** @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`, `RUN_UNSUPPORTED`. */
  constructor(directory: string, scan: ScanOptions = {}) {
    this.directory = directory;
    this.manifest = readRunManifest(directory);
    this.config = readRunConfig(directory);
    this.scan = scan;
  }

  /** The result of `make`, which is called once for this run. */
  once<Value>(make: (run: RunSource) => Value): Value {
    if (!this.#made.has(make)) this.#made.set(make, make(this));
    return this.#made.get(make) as Value;
  }

  /** The history of the embedding, or of another recorded tensor. */
  history(tensor?: string): Promise<History> {
    const key = tensor ?? "";
    const known = this.#opened.get(key);
    if (known) return known;
    const opening = openHistory(this.directory, tensor).then((history) => {
      this.#close.push(history);
      return history;
    });
    this.#opened.set(key, opening);
    return opening;
  }

  /** The stored analysis if it covers everything recorded; else a new one. */
  analysis(): Promise<AnalysisDocument> {
    return this.once(analysisOf);
  }

  events(): readonly TrainEvent[] {
    return this.once(({ directory }) => readEvents(directory));
  }

  [Symbol.dispose](): void {
    for (const history of this.#close) history.close();
  }
}

async function analysisOf(run: RunSource): Promise<AnalysisDocument> {
  const history = await run.history();
  const written = readAnalysis(run.directory);
  const isWhole = written?.states === history.states && written.timeline && written.motion && written.geometry;
  return isWhole ? written : await analyze(history, run.scan);
}

/** Why a run has no data for a figure, and how to get them. */
export interface Absent {
  readonly absent: string;
}

interface Shown<Data> {
  /** The run's name among the runs of the figure. */
  readonly label: string;
  readonly source: Source;
  readonly data: Data;
}

/** A kind of figure. */
export interface RunFigure<Name extends string = string, Data = unknown> {
  readonly name: Name;
  /** Whether it overlays several runs; else each run has its own figure. */
  readonly overlays: boolean;
  read(run: RunSource): Promise<Data | Absent>;
  /** Why a report omits it for some data, unless it is asked for by name; null if it does not. */
  omits?(data: Data): string | null;
  /** Pure function of the data. @param runs one or more; one if it does not overlay. */
  describe(runs: readonly Shown<Data>[]): Figure;
}

/** A kind of figure whose schema, name and sources are filled in. */
export function defineRunFigure<const Name extends string, Data>({
  describe,
  ...kind
}: Omit<RunFigure<Name, Data>, "describe"> & {
  describe(runs: readonly Shown<Data>[]): Omit<Figure, "schema" | "name" | "sources">;
}): RunFigure<Name, Data> {
  return {
    ...kind,
    describe(runs) {
      const { title, caption, ...content } = describe(runs);
      return { schema: "bh-bridge/figure@1", name: kind.name, title, caption, sources: runs.map(({ source }) => source), ...content };
    },
  };
}

export function isAbsent(data: unknown): data is Absent {
  return typeof data === "object" && data !== null && "absent" in data;
}

/** Run an analysis that is on request only. @param recorded other recorded tensors (default: all of the run). @returns its part, or why the run has none. */
export async function requestedAnalysis<Name extends AnalysisName>(
  run: RunSource,
  name: Name,
  recorded: RecordedRun | undefined = recordedRun(run.directory),
): Promise<{ readonly document: AnalysisDocument; readonly part: NonNullable<AnalysisDocument[Name]> } | Absent> {
  const history = await run.history();
  if (history.states < 2) return { absent: "it has taken no step yet" };
  const document = await analyze(history, { ...run.scan, only: [name], run: recorded });
  const part = document[name];
  if (part !== undefined) return { document, part };
  return { absent: leftOut(document, name) };
}

/** Why an analysis is missing in a document. */
export function leftOut({ notes }: AnalysisDocument, name: AnalysisName): string {
  const words = `left out: ${name}: `;
  return notes.find((note) => note.startsWith(words))?.slice(words.length) ?? "it was omitted";
}

export const tokenGroupNames = ["live tokens", "dead tokens"] as const;
export type TokenGroup = (typeof tokenGroupNames)[number];

/** The rows of a run, grouped into live tokens and dead ones, which never appear in the text. */
export interface TokenGroups {
  readonly names: readonly TokenGroup[];
  /** Index of the group of each row. */
  readonly ofRow: Uint8Array;
}

/** The groups of a history's rows. @param history a history of the run (default: of the embedding). */
export async function tokenGroups(run: RunSource, history?: History): Promise<TokenGroups> {
  const { tokens, rowTokens } = history ?? (await run.history());
  const dead = new Set(run.manifest.corpus.deadTokens);
  const ofRow = Uint8Array.from({ length: tokens }, (_, row) => Number(dead.has(rowTokens.ofRow(row))));
  return { names: tokenGroupNames, ofRow };
}
