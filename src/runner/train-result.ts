import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { censusShape } from "../analysis/document-fields.js";
import { engines } from "../config/engine-schema.js";
import type { RunConfig } from "../config/run-config-schema.js";
import type { TrainEvent } from "../protocol/events.js";

const count = z.int().nonnegative();

/** The document of `train --json` and `resume --json`, and the result of a finished run. */
export const trainResultSchema = z.strictObject({
  schema: z.literal("bh-bridge/train-result@1"),
  /** Path of the run directory. */
  run: z.string(),
  /** `running`: a process trains it. `interrupted`: no process trains it, and its end is not recorded. */
  status: z.enum(["running", "interrupted", "completed", "stopped", "failed"]),
  engine: z.enum(engines),
  steps: z.strictObject({ planned: count, done: count }),
  /** Seconds of training, all parts of a resumed run together. */
  seconds: z.number(),
  stepsPerSecond: z.number(),
  parameters: count,
  environment: z.strictObject({ device: z.string(), threads: count, python: z.string(), torch: z.string(), transformers: z.string() }),
  corpus: z.strictObject({ sha256: z.string(), tokens: count, distinct: count, dead: count, windows: count, filtered: count }),
  /**
   * Step and mean loss since the previous entry, as logged every `training.logging_steps`; the loss of every step if the run ended before its first log.
   * null for a loss that is not finite.
   */
  loss: z.array(z.tuple([count, z.number().nullable()])),
  /** Whether every recorded weight is finite at the end. Otherwise the run has failed, and `train` exits with code 1. */
  finite: z.boolean(),
  /** Census of the last state, over the recorded tokens, dead and live. */
  census: z.strictObject(censusShape),
  displacement: z.strictObject({ float64: z.number().nullable(), float32: z.number().nullable(), bfloat16: z.number().nullable() }),
  /** State and L2 norm of its centroid, every 1,000 steps and at the end. */
  centroidNorm: z.array(z.tuple([count, z.number().nullable()])),
  verdict: z.strictObject({ result: z.enum(["null", "positive", "degenerate"]), reason: z.string() }),
  /** Average busy cores and peak memory of the Python process; null before the first report. */
  usage: z.strictObject({ cpuCores: z.number(), peakBytes: count, gpuPeakBytes: count.nullable() }).nullable(),
  /** The notebook's pitfalls that this run reproduces, and an engine that is not the notebook's, with the setting that corrects each. */
  traps: z.array(z.strictObject({ what: z.string(), corrected: z.string() })),
});
export type TrainResult = z.output<typeof trainResultSchema>;

/** Why a run has failed that took all its steps, but whose `finite` is false. */
export const notFinite = "at the end the weights are not all finite numbers";

/** The losses of a run by its events: the logged ones, or without a log those of its steps. */
export function lossTable(events: readonly TrainEvent[]): TrainResult["loss"] {
  const logged = events.flatMap((event) => (event.type === "log" ? [entry(event.global_step, event.logs["loss"])] : []));
  return logged.length > 0 ? logged : events.flatMap((event) => (event.type === "step_end" ? [entry(event.global_step, event.loss)] : []));
}

function entry(step: number, loss = Number.NaN): TrainResult["loss"][number] {
  return [step, Number.isFinite(loss) ? loss : null];
}

/** Whether the losses of a run are those of single steps, though it logs less often. */
export function hasStepLosses({ loss }: Pick<TrainResult, "loss">, { training }: Pick<RunConfig, "training">): boolean {
  const [first] = loss;
  if (first === undefined || training.logging_steps === 1) return false;
  if (loss.length === 1) return first[0] < training.logging_steps; // else it was logged
  return loss.every(([step], index) => step === first[0] + index);
}

/** The last entry of the losses, null if it is not finite. */
export function finalLoss({ loss }: Pick<TrainResult, "loss">): number | null {
  return loss.at(-1)?.[1] ?? null;
}

/** A pitfall of a configuration, and the setting that corrects it. */
export interface Pitfall {
  what: string;
  corrected: string;
}

/** The notebook's implicit choices that this run shares, and an engine that differs from the notebook's. */
export function pitfallsOf({ data, engine, model, training }: RunConfig): Pitfall[] {
  const isBfloat16 = model.dtype === "bfloat16";
  const pitfalls: [applies: boolean, what: string, corrected: string][] = [
    [data.label_shift === "double", "labels are shifted twice: position t learns token t+2", "data.label_shift=causal"],
    [
      model.norm === "rmsnorm" && training.decay_norms === "hf" && training.weight_decay > 0,
      "RMSNorm's weights decay, LayerNorm's do not: a confound",
      "training.decay_norms=never",
    ],
    [training.lr_scheduler_type === "linear", "the learning rate falls to 0, which freezes rows", "training.lr_scheduler_type=constant"],
    [training.max_grad_norm > 0, `gradients are clipped at ${training.max_grad_norm}`, "training.max_grad_norm=0"],
    [
      isBfloat16 && training.optimizer_state_dtype === "model",
      "Adam's moments are bfloat16: the second can only grow",
      "training.optimizer_state_dtype=float32",
    ],
    [engine.name !== "trainer", `engine ${engine.name} has bits of its own: early C and P of live tokens are not those of the reference`, "engine=trainer"],
  ];
  return pitfalls.filter(([applies]) => applies).map(([, what, corrected]) => ({ what, corrected }));
}

/** The pitfalls that all configurations share. */
export function sharedPitfalls([first, ...others]: readonly RunConfig[]): Pitfall[] {
  if (first === undefined) return [];
  return pitfallsOf(first).filter((pitfall) => others.every((config) => pitfallsOf(config).some((other) => isDeepStrictEqual(pitfall, other))));
}
