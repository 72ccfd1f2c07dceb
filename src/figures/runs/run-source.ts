import type { AnalysisDocument } from "../../analysis/analysis-document.js";
import { analyze } from "../../analysis/analyze.js";
import type { ScanOptions } from "../../analysis/scan/scan-options.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import type { History } from "../../formats/history.js";
import type { TrainEvent } from "../../protocol/events.js";
import { openHistory } from "../../runs/open-history.js";
import { readEvents } from "../../runs/read-events.js";
import { readAnalysis } from "../../runs/run-analysis.js";
import { readRunConfig } from "../../runs/run-config.js";
import { type RunManifest, readRunManifest } from "../../runs/run-manifest.js";

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
