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
import { lossTable, pitfallsOf, type TrainResult } from "./train-result.js";

/** The notebook prints the centroid's norm every 1,000 steps. */
const centroidNormEvery = 1000;

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** The states whose centroid is reported, with their steps: every thousandth, and the last. */
function centroidStates(history: History): [step: number, state: number][] {
  const states = stepsOf(history).map((step, state): [number, number] => [step, state]);
  return states.filter(([step, state]) => step % centroidNormEvery === 0 || state === history.states - 1);
}

/** Summary of the usage events of all parts of a training; cores are weighted by the time of each event. */
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
  /** Whether a process is training the run. */
  isRunning?: boolean;
  /** Degeneracies by an earlier analysis, which saves reading the history again. */
  known?: readonly Degeneracy[];
}

/**
 * The notebook's results of a training, computed from the files of its run alone.
 * @throws {BhBridgeError} `RUN_CORRUPT`, `FORMAT_INVALID`, `ABORTED`.
 */
export async function summarizeRun(
  directory: string,
  config: RunConfig,
  manifest: RunManifest,
  { known, isRunning = false, ...scan }: SummaryOptions = {},
): Promise<TrainResult> {
  requireUnchanged(directory, runFiles.manifest, runFiles.config);
  const { device, threads, python, torch, transformers } = manifest.environment;
  const { sha256, tokens, distinct, dead, deadTokens, windows, filtered } = manifest.corpus;
  const history = await openHistory(directory);
  try {
    const events = readEvents(directory);
    const done = events.findLast((event) => event.type === "step_end")?.global_step ?? 0;
    const seconds = manifest.status === "running" ? trainedSeconds(events) : manifest.seconds; // recorded when a training ends
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
      stepsPerSecond: seconds > 0 ? (done - stepOfState(history, 0)) / seconds : 0, // a run can start from the checkpoint of another
      parameters: manifest.parameters,
      environment: { device, threads, python, torch, transformers },
      corpus: { sha256, tokens, distinct, dead, windows, filtered },
      loss: lossTable(events),
      finite: nonfiniteTokens(final).length === 0,
      census: census(final),
      displacement: { float64: finite(moved.float64), float32: finite(moved.float32), bfloat16: finite(moved.bfloat16) },
      centroidNorm: centroidStates(history).map(([step, state]) => [step, finite(centroidNorm(readState(history, state)))]),
      verdict: verdict({ initial, final, deadTokens, degenerate }),
      usage: usageOf(events),
      traps: pitfallsOf(config),
    };
  } finally {
    history.close();
  }
}

/**
 * Analyse a run whose training has ended, write its `analysis.json` and its checksums, and summarize it.
 * @throws {BhBridgeError} `ABORTED`; the run remains complete, and can be analysed later.
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
