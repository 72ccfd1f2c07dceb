import { weightCount } from "../../bridge/require-memory.js";
import { batchedRuns } from "../../config/engine-schema.js";
import { modelSize } from "../../config/models/model-sizes.js";
import { stepsOfSchedule } from "../../config/record-schedule.js";
import { hasTokenRows, tensorsOfForwardPass } from "../../config/record-schema.js";
import type { RunConfig } from "../../config/run-config-schema.js";

/** Of a state in the index, and of a step in the event log (a line of 150 bytes, and a little more). */
const indexBytes = 24;
const eventBytes = 200;
/** Figures of a step are float64. */
const wideBytes = 8;
const tensorsOfStep: readonly string[] = [...tensorsOfForwardPass, "learning_rate", "grad_norm", "grad_norm.clipped"];
/** Everything else in a run: descriptions, analysis, logs; they take about 100 kB. */
const otherBytes = 200_000;

/** The bytes that the run of a trial takes on the disk at most: histories, checkpoints with one more while it is made, final model, events. */
export function trialBytes({ model, record, training, checkpoint }: RunConfig): number {
  const { weightBytes, momentBytes } = bytesOfNumbers({ model, training });
  const rows = Array.isArray(record.rows) ? record.rows.length : model.vocab_size;
  const width = modelSize(model, "width") ?? 0;
  const stateBytes = (tensor: string): number => {
    if (tensorsOfStep.includes(tensor)) return wideBytes * (tensor === "logits.mean" ? rows : width);
    const numbers = width * (hasTokenRows(tensor) ? rows : Math.max(4 * width, modelSize(model, "positions") ?? 0)); // of others, the largest that there are
    return numbers * (/\.(?:exp_avg|exp_avg_sq|master)$/.test(tensor) ? momentBytes : weightBytes);
  };
  const statesOf = (tensor: string): number => stepsOfSchedule(record.schedules?.[tensor] ?? record.every, training.max_steps).length;
  const histories = record.tensors.reduce((sum, tensor) => sum + statesOf(tensor) * (stateBytes(tensor) + indexBytes), 0);
  const weights = weightCount(model);
  const checkpoints = (checkpoint.keep + 1) * weights * (weightBytes + 2 * momentBytes);
  return histories + checkpoints + weights * weightBytes + training.max_steps * eventBytes + otherBytes;
}

/**
 * The bytes of memory that a training takes at least: weights and their gradients, in a stack of each place, and two moments and the corpus of each run.
 *
 * @param corpusBytes as `corpusMemory`.
 */
export function leastMemory({ model, training, engine }: RunConfig, runs: number, corpusBytes = 0): number {
  const { weightBytes, momentBytes } = bytesOfNumbers({ model, training });
  return weightCount(model) * 2 * (batchedRuns({ engine }) * weightBytes + runs * momentBytes) + runs * corpusBytes;
}

function bytesOfNumbers({ model, training }: Pick<RunConfig, "model" | "training">): { weightBytes: number; momentBytes: number } {
  const weightBytes = model.dtype === "float32" ? 4 : 2;
  return { weightBytes, momentBytes: model.dtype === "float32-master" || training.optimizer_state_dtype === "float32" ? 4 : weightBytes };
}
