import { cpSync, statSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { z } from "zod";
import { allSeries } from "../analysis/analyses.js";
import type { AnalysisDocument } from "../analysis/analysis-document.js";
import { analyze } from "../analysis/analyze.js";
import type { ScanOptions } from "../analysis/scan/observation.js";
import { configValues } from "../config/json-value.js";
import { durableCreate, durableCreateFile } from "../formats/durable-write.js";
import { type History, stepsOf } from "../formats/history.js";
import { runScriptWith } from "../python/run-python-script.js";
import { temporaryFolder } from "../python/session-folder.js";
import { recordedStep } from "../runs/history-index.js";
import { openHistory } from "../runs/open-history.js";
import { readEvents } from "../runs/read-events.js";
import { readAnalysis, recordedRun } from "../runs/recorded-run.js";
import { readRunConfig } from "../runs/run-config.js";
import { filesIn } from "../runs/run-layout.js";
import { readRunManifest } from "../runs/run-manifest.js";
import { csvField } from "../text/escaping.js";
import { numberText } from "../text/format.js";
import type { Exported, MetricsTarget } from "./exported.js";

/** The numbers of a run by training step, ascending. A number that was not recorded at a step is absent. */
export interface Metrics {
  /** Of all metrics, in the order of the columns. */
  readonly names: readonly string[];
  readonly rows: readonly {
    readonly step: number;
    /** Time of day in seconds. */
    readonly wall: number;
    readonly values: Readonly<Record<string, number>>;
  }[];
}

/**
 * The metrics of a run: what transformers logs, under the names that it gives trackers (`train/loss`, `eval/loss`), the loss of each step (`train/step_loss`),
 * and the series of the analysis (`analysis/P`). A run without a whole stored analysis is analysed.
 * @throws {BhBridgeError} as `readRunManifest`, `readEvents` and `analyze`.
 */
export async function metricsOfRun(directory: string, scan: ScanOptions = {}): Promise<Metrics> {
  const { created } = readRunManifest(directory);
  const found = new Map<number, { wall: number; values: Record<string, number> }>();
  let wall = Date.parse(created) / 1000;
  const rowOf = (step: number) => {
    const row = found.get(step) ?? { wall, values: {} };
    found.set(step, row);
    return row.values;
  };
  const names = new Set<string>();
  const add = (step: number, name: string, value: number) => {
    names.add(name);
    rowOf(step)[name] = value;
  };
  for (const event of readEvents(directory)) {
    wall = event.wall;
    if (event.type === "step_end") add(event.global_step, "train/step_loss", event.loss);
    const logged = event.type === "log" ? event.logs : event.type === "evaluate" ? event.metrics : {};
    for (const [key, value] of Object.entries(logged)) add(event.global_step, trackedName(key), value);
  }
  if (recordedStep(directory) !== undefined) {
    wall = Date.parse(created) / 1000; // of the initial state, before the first event
    for (const { name, points } of await analysedSeries(directory, scan)) for (const [step, value] of points) add(step, name, value);
  }
  const rows = [...found].map(([step, row]) => ({ step, ...row })).sort((left, right) => left.step - right.step);
  return { names: [...names], rows };
}

/** The name that the callbacks of transformers give a logged value. */
function trackedName(key: string): string {
  return key.startsWith("eval_") ? `eval/${key.slice("eval_".length)}` : `train/${key}`;
}

async function analysedSeries(directory: string, scan: ScanOptions): Promise<{ name: string; points: [step: number, value: number][] }[]> {
  const history = await openHistory(directory);
  try {
    const steps = stepsOf(history);
    const document = await analysisOf(directory, history, scan);
    return allSeries.flatMap(({ name, analysis, per, of }) => {
      const values = document[analysis] && of?.(document[analysis]);
      const points = values?.flatMap((value, at): [number, number][] => {
        const step = steps[per === "state" ? at : at + 1];
        return value === null || step === undefined ? [] : [[step, value]];
      });
      return points === undefined ? [] : [{ name: `analysis/${name}`, points }];
    });
  } finally {
    history.close();
  }
}

async function analysisOf(directory: string, history: History, scan: ScanOptions): Promise<AnalysisDocument> {
  const written = readAnalysis(directory);
  if (written?.states === history.states && written.timeline && written.motion && written.geometry) return written;
  return analyze(history, { run: recordedRun(directory), ...scan });
}

/** The types of the columns of a Parquet file. */
const columnTypes = { step: "INT64", number: "DOUBLE" } as const;

export interface MetricsExport {
  readonly to: MetricsTarget;
  readonly out: string;
  /** Interpreter that has the library of a tracker. */
  readonly python?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ScanOptions["onProgress"];
}

/**
 * Write the metrics of a run as a table with one row per step, or as a run of a tracker, by its own library and without a network.
 * @throws {BhBridgeError} as `metricsOfRun`; `FILE_UNWRITABLE`, `DISK_FULL`; `PYTHON_DEPENDENCY_MISSING` if no interpreter has the library.
 */
export async function exportMetrics(directory: string, { to, out, python, signal, onProgress }: MetricsExport): Promise<Exported> {
  const metrics = await metricsOfRun(directory, { signal, onProgress });
  if (to === "csv") writeCsv(out, metrics);
  else if (to === "parquet") writeParquet(out, metrics);
  else await writeTracker(directory, metrics, { to, out, python, signal });
  const bytes = statSync(out).isFile() ? statSync(out).size : filesIn(out).reduce((sum, name) => sum + statSync(join(out, name)).size, 0);
  return { source: directory, to, out, metrics: [...metrics.names], steps: metrics.rows.length, bytes };
}

function writeCsv(out: string, { names, rows }: Metrics): void {
  durableCreateFile(out, (write) => {
    write(Buffer.from(`${["step", ...names].map(csvField).join(",")}\n`));
    for (const { step, values } of rows) {
      const cells = names.map((name) => (values[name] === undefined ? "" : numberText(values[name])));
      write(Buffer.from(`${[step, ...cells].join(",")}\n`));
    }
  });
}

function writeParquet(out: string, { names, rows }: Metrics): void {
  const columnData = [
    { name: "step", type: columnTypes.step, data: rows.map(({ step }) => BigInt(step)) },
    ...names.map((name) => ({ name, type: columnTypes.number, data: rows.map(({ values }) => values[name] ?? null) })),
  ];
  durableCreateFile(out, (write) => write(new Uint8Array(parquetWriteBuffer({ columnData }))));
}

const writtenSchema = z.object({ written: z.literal(true) });

/** A sweep of MLflow's database takes seconds per million values. */
const timeoutMs = 3_600_000;

async function writeTracker(directory: string, { rows }: Metrics, { to, out, python, signal }: MetricsExport): Promise<void> {
  using folder = temporaryFolder("tracker");
  const request = {
    tracker: to,
    name: basename(resolve(directory)),
    config: Object.fromEntries(configValues(readRunConfig(directory))),
    folder: join(folder.path, "made"),
    out: resolve(out),
    rows: rows.map(({ step, wall, values }) => [step, wall, values]),
  };
  const path = join(folder.path, "request.json");
  const text = JSON.stringify(request, (_, value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value));
  writeFileSync(path, text);
  const script = { file: "scripts/write_tracker.py", args: [path], timeoutMs, signal };
  writtenSchema.parse(await runScriptWith(to, { python, what: `The export to ${to}` }, script));
  durableCreate(out, (temporaryPath) => cpSync(request.folder, temporaryPath, { recursive: true }));
}
