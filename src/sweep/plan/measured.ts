import { weightCount } from "../../bridge/require-memory.js";
import { batchedRuns } from "../../config/engine-schema.js";
import { hasTokenRows, stepsOfSchedule, tensorsOfForwardPass } from "../../config/record-schema.js";
import { modelSize } from "../../config/run-config-fields.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { laterStepSeconds } from "../../runner/cost-estimate.js";
import { lastEvent, readEvents } from "../../runs/read-events.js";
import type { SweepTrial } from "../sweep-document.js";
import type { Trial } from "./plan-trials.js";

/** Bytes per snapshot in the index, and per step in the event log (a line has about 150 bytes). */
const indexBytes = 24;
const eventBytes = 200;
/** Share of the weights' bytes that their recorded differences take: two thirds of float32 or of an untrained model, at most a third of bfloat16. */
const deltaShare = { bfloat16: 1 / 3, float32: 2 / 3 } as const;
/** Recorded values per step are float64. */
const wideBytes = 8;
const tensorsOfStep: readonly string[] = [...tensorsOfForwardPass, "learning_rate", "grad_norm", "grad_norm.clipped"];
/** Descriptions, analysis and logs take about 100 kB. */
const otherBytes = 200_000;

/** Older checkpoints and replay points remain while they take at most this part of the histories. */
const olderPart = 0.2;
/** Maximum number of checkpoints per `checkpoint.every` steps, with replay points. */
const savesPerInterval = 8;

/** Maximum bytes of a run on disk: histories, recorded weights, checkpoints with one more during a save, final model, events. */
export function trialBytes({ model, record, training, checkpoint }: RunConfig): number {
  const { weightBytes, momentBytes } = bytesOfNumbers({ model, training });
  const rows = Array.isArray(record.rows) ? record.rows.length : model.vocab_size;
  const width = modelSize(model, "width") ?? 0;
  const stateBytes = (tensor: string): number => {
    if (tensorsOfStep.includes(tensor)) return wideBytes * (tensor === "logits.mean" ? rows : width);
    const numbers = width * (hasTokenRows(tensor) ? rows : Math.max(4 * width, modelSize(model, "positions") ?? 0)); // the largest of the other tensors
    return numbers * (/\.(?:exp_avg|exp_avg_sq|master)$/.test(tensor) ? momentBytes : weightBytes);
  };
  const statesOf = (tensor: string): number => stepsOfSchedule(record.schedules?.[tensor] ?? record.every, training.max_steps).length;
  const histories = record.tensors.reduce((sum, tensor) => sum + statesOf(tensor) * (stateBytes(tensor) + indexBytes), 0);
  const weights = weightCount(model);
  const deltas =
    record.model === "deltas" ? (training.max_steps + 1) * weights * weightBytes * deltaShare[model.dtype === "float32" ? "float32" : "bfloat16"] : 0;
  const one = weights * (weightBytes + 2 * momentBytes);
  const saved = checkpoint.every === null ? 0 : Math.floor((savesPerInterval * training.max_steps) / checkpoint.every);
  const older = Math.min(Math.max(0, saved - checkpoint.keep) * one, histories * olderPart);
  const checkpoints = (checkpoint.keep + 1) * one + older;
  return Math.round(histories + deltas + checkpoints + weights * weightBytes + training.max_steps * eventBytes + otherBytes);
}

/**
 * Minimum bytes of memory of a training: weights and gradients for each slot of a batch, and two moments and the corpus of each run.
 * @param corpusBytes as `corpusMemory`.
 */
export function minMemory({ model, training, engine }: RunConfig, runs: number, corpusBytes = 0): number {
  const { weightBytes, momentBytes } = bytesOfNumbers({ model, training });
  return weightCount(model) * 2 * (batchedRuns({ engine }) * weightBytes + runs * momentBytes) + runs * corpusBytes;
}

function bytesOfNumbers({ model, training }: Pick<RunConfig, "model" | "training">): { weightBytes: number; momentBytes: number } {
  const weightBytes = model.dtype === "float32" ? 4 : 2;
  return { weightBytes, momentBytes: model.dtype === "float32-master" || training.optimizer_state_dtype === "float32" ? 4 : weightBytes };
}

/** A finished training, as a sample for others like it. */
interface TrainedRun {
  config: RunConfig;
  corpusBytes?: number | undefined;
  /** Null if it is gone. */
  run: string | null;
  steps: number;
  seconds: number;
}

/** Measured needs of trials trained alone or in a batch of one width. */
export interface Measured {
  stack: number;
  /** Per trial. */
  stepsPerSecond: number;
  /** Seconds of a trial or batch before the first step and after the last; 0 if included in `stepsPerSecond`. */
  secondsAround: number;
  /** Peak memory of Python; null if unknown. */
  peakBytes: number | null;
  /** The part of it for weights and corpora; the rest does not grow with the batch. */
  leastBytes: number;
}

/** Measure runs from batches of one width. */
export function measure(runs: readonly [TrainedRun, ...TrainedRun[]]): Measured {
  const peaks = runs.flatMap(({ run }) => (run === null ? [] : (lastEvent(run, "usage")?.peak_bytes ?? [])));
  return {
    stack: batchedRuns(runs[0].config),
    stepsPerSecond: sum(runs.map(({ steps }) => steps)) / sum(runs.map(({ seconds }) => seconds)),
    secondsAround: 0,
    peakBytes: peaks.length === 0 ? null : Math.max(...peaks),
    leastBytes: Math.max(...runs.map(({ config, corpusBytes }) => minMemory(config, Math.min(batchedRuns(config), runs.length), corpusBytes))),
  };
}

/** Measure trials after their first steps, alone or in a batch; one-time costs are separated from the steps. */
export function measureFirstSteps(runs: readonly [TrainedRun, ...TrainedRun[]]): Measured {
  const measured = measure(runs);
  const events = runs.flatMap(({ run }) => (run === null ? [] : [readEvents(run)]));
  const steps = (events[0] ?? []).filter(({ type }) => type === "step_end");
  const secondsPerStep = laterStepSeconds(steps.slice(0, -1).map(({ global_step, mono }) => [global_step, mono])); // the end of another run may come before the last step
  if (secondsPerStep === undefined) return measured;
  const times = events.flat().map(({ mono }) => mono);
  const around = Math.max(...times) - Math.min(...times) - steps.length * secondsPerStep;
  return { ...measured, stepsPerSecond: 1 / secondsPerStep, secondsAround: Math.max(0, around) };
}

/** Measure the ended trials of a plan by batch width, because one width does not predict another. */
export function measuredOf(trials: readonly Trial[], states: readonly SweepTrial[]): Measured[] {
  const byWidth = new Map<number, [TrainedRun, ...TrainedRun[]]>();
  for (const [index, { config, corpusBytes }] of trials.entries()) {
    const { result, run = null } = states[index] ?? {};
    if (!result || result.seconds <= 0) continue;
    const trained = { config, corpusBytes, run, steps: result.steps, seconds: result.seconds };
    const width = batchedRuns(config);
    const others = byWidth.get(width);
    if (others) others.push(trained);
    else byWidth.set(width, [trained]);
  }
  return [...byWidth.values()].map(measure);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
