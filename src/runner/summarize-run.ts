import { analyze } from "../analysis/analyze.js";
import { census } from "../analysis/census/census.js";
import { nonfiniteTokens } from "../analysis/elements.js";
import { centroidNorm, displacement } from "../analysis/geometry/centroid.js";
import type { ScanOptions } from "../analysis/scan/observation.js";
import { type Degeneracy, soundness, verdict } from "../analysis/verdict.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { type History, readState, stepOfState, stepsOf } from "../formats/history.js";
import type { TrainEvent } from "../protocol/events.js";
import { requireUnchanged, sealRun } from "../runs/checksums.js";
import { openHistory } from "../runs/open-history.js";
import { readEvents, trainedSeconds } from "../runs/read-events.js";
import { writeAnalysis } from "../runs/recorded-run.js";
import { runFiles } from "../runs/run-layout.js";
import { type RunManifest, readRunManifest } from "../runs/run-manifest.js";
import { trapsOf } from "./pitfalls.js";
import { lossTable, type TrainResult } from "./train-result.js";

/** The notebook prints the centroid's norm at this cadence. */
const centroidNormEvery = 1000;

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** The states whose centroid is told, with their steps: every thousandth, and the last. */
function toldStates(history: History): [step: number, state: number][] {
  const states = stepsOf(history).map((step, state): [number, number] => [step, state]);
  return states.filter(([step, state]) => step % centroidNormEvery === 0 || state === history.states - 1);
}

/** The reports of a training summed up, those of all its parts: cores by the time that each report covers. */
function usageOf(events: readonly TrainEvent[]): TrainResult["usage"] {
  const reports = events.filter((event) => event.type === "usage");
  const seconds = reports.reduce((sum, report) => sum + report.seconds, 0);
  if (seconds === 0) return null;
  const gpuPeaks = reports.flatMap(({ gpu_peak_bytes }) => gpu_peak_bytes ?? []);
  return {
    cpuCores: reports.reduce((sum, report) => sum + report.cpu_cores * report.seconds, 0) / seconds,
    peakBytes: Math.max(...reports.map(({ peak_bytes }) => peak_bytes)),
    gpuPeakBytes: gpuPeaks.length > 0 ? Math.max(...gpuPeaks) : null,
  };
}

interface SummaryOptions extends ScanOptions {
  /** Whether a process is training the run now. */
  isRunning?: boolean;
  /** What makes the history degenerate, where an analysis has found it out already; a large history is read once less. */
  known?: readonly Degeneracy[];
}

/**
 * What the notebook prints of a training, computed from the files of its run: no Python, no number that is not on disk.
 * @throws {BhBridgeError} `RUN_CORRUPT`, `FORMAT_INVALID`, `ABORTED`.
 */
export async function summarizeRun(
  directory: string,
  config: RunConfig,
  manifest: RunManifest,
  { known, isRunning = false, ...scan }: SummaryOptions = {},
): Promise<TrainResult> {
  requireUnchanged(directory, runFiles.manifest, runFiles.config);
  const history = await openHistory(directory);
  try {
    const events = readEvents(directory);
    const done = events.findLast((event) => event.type === "step_end")?.global_step ?? 0;
    const seconds = manifest.status === "running" ? trainedSeconds(events) : manifest.seconds; // which is noted when a training ends
    const initial = readState(history, 0);
    const final = readState(history, history.states - 1);
    const moved = displacement(initial, final);
    const degenerate = known ?? (await soundness(history, scan)).degenerate;
    return {
      schema: "bh-bridge/train-result@1",
      run: directory,
      status: isRunning || manifest.status !== "running" ? manifest.status : "interrupted",
      engine: config.engine.name,
      steps: { planned: config.training.max_steps, done },
      seconds,
      stepsPerSecond: seconds > 0 ? (done - stepOfState(history, 0)) / seconds : 0, // a run can begin with a checkpoint of another
      parameters: manifest.parameters,
      environment: {
        device: manifest.environment.device,
        threads: manifest.environment.threads,
        python: manifest.environment.python,
        torch: manifest.environment.torch,
        transformers: manifest.environment.transformers,
      },
      corpus: {
        sha256: manifest.corpus.sha256,
        tokens: manifest.corpus.tokens,
        distinct: manifest.corpus.distinct,
        dead: manifest.corpus.dead,
        windows: manifest.corpus.windows,
        filtered: manifest.corpus.filtered,
      },
      loss: lossTable(events),
      finite: nonfiniteTokens(final).length === 0,
      census: census(final),
      displacement: { float64: finite(moved.float64), float32: finite(moved.float32), bfloat16: finite(moved.bfloat16) },
      centroidNorm: toldStates(history).map(([step, state]) => [step, finite(centroidNorm(readState(history, state)))]),
      verdict: verdict({ initial, final, deadTokens: manifest.corpus.deadTokens, degenerate }),
      usage: usageOf(events),
      traps: trapsOf(config),
    };
  } finally {
    history.close();
  }
}

/**
 * Analyse a run whose training has ended, write its `analysis.json` and its checksums, and say what came out: from its files alone.
 * @throws {BhBridgeError} `ABORTED`, which loses nothing: the run is complete, and can be analysed at any time.
 */
export async function concludeRun(directory: string, config: RunConfig, options: ScanOptions = {}): Promise<TrainResult> {
  const history = await openHistory(directory);
  try {
    const analysis = await analyze(history, options);
    writeAnalysis(directory, analysis);
    sealRun(directory);
    return await summarizeRun(directory, config, readRunManifest(directory), { known: analysis.degenerate });
  } finally {
    history.close();
  }
}
