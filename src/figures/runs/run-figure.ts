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

/** What figures of a run are made from: its files, each read when a figure wants it, and once. */
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

  /** What `make` comes to; made once for this run, whoever asks. */
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

  /** The analysis that the run has, where it is of all that was recorded; else it is analysed now. */
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

/** Why a run has nothing for a figure to show, and what would give it. */
export interface Absent {
  readonly absent: string;
}

/** What a figure shows of one run. */
interface Shown<Data> {
  /** What the run is called among the runs of the figure. */
  readonly label: string;
  readonly source: Source;
  readonly data: Data;
}

/** A figure of runs: what it reads of each, and what it makes of that. */
export interface RunFigure<Name extends string = string, Data = unknown> {
  readonly name: Name;
  /** Whether it shows several runs over one another; else each run has a figure of its own. */
  readonly overlays: boolean;
  /** From the files of a run. */
  read(run: RunSource): Promise<Data | Absent>;
  /** Pure: the same data make the same figure. @param runs one or more; one, where it does not overlay. */
  describe(runs: readonly Shown<Data>[]): Figure;
}

/** A figure whose types follow from one another. */
export function defineRunFigure<const Name extends string, Data>(figure: RunFigure<Name, Data>): RunFigure<Name, Data> {
  return figure;
}

export function isAbsent(data: unknown): data is Absent {
  return typeof data === "object" && data !== null && "absent" in data;
}

/** An analysis that is made on request alone, made for a figure. */
interface RequestedAnalysis<Name extends AnalysisName> {
  readonly document: AnalysisDocument;
  readonly part: NonNullable<AnalysisDocument[Name]>;
}

/**
 * One of the analyses that are made on request alone, or why the run has nothing for it.
 * @param recorded what it recorded beside its embedding, where the analysis should not see all of it.
 */
export async function requestedAnalysis<Name extends AnalysisName>(
  run: RunSource,
  name: Name,
  recorded: RecordedRun | undefined = recordedRun(run.directory),
): Promise<RequestedAnalysis<Name> | Absent> {
  const history = await run.history();
  if (history.states < 2) return { absent: "it has taken no step yet" };
  const document = await analyze(history, { ...run.scan, only: [name], run: recorded });
  const part = document[name];
  if (part !== undefined) return { document, part };
  return { absent: leftOut(document, name) };
}

/** Why a document lacks the part of an analysis. */
export function leftOut({ notes }: AnalysisDocument, name: AnalysisName): string {
  const words = `left out: ${name}: `;
  return notes.find((note) => note.startsWith(words))?.slice(words.length) ?? "it was left out";
}
