import { z } from "zod";
import type { ResolvedConfig } from "../config/resolve-run-config.js";
import type { SeedsInput } from "../config/run-config-input.generated.js";
import type { RunConfigInput } from "../config/run-config-schema.js";
import type { ReplyOf } from "../protocol/operations.js";
import type { PythonSession } from "../python/python-session.js";
import type { RepositoryState } from "../runs/git-state.js";
import type { ReadCorpus } from "./corpus.js";
import { type CallOptions, Model } from "./model.js";
import type { TrainerCallback } from "./trainer-callback.js";
import type { StackSlot } from "./training-stack.js";

/** Options of a trainer: its model, and fields of a configuration. */
export interface TrainerOptions extends Pick<RunConfigInput, "data" | "training" | "noise" | "record" | "checkpoint" | "device" | "name"> {
  /** Seeds of batch order and noise (default: the model's `seed`). */
  seeds?: Pick<SeedsInput, "data" | "noise">;
  /** Model to train; the run records its seed and configuration. */
  model: Model;
  /** Observers and deciders, called in this order. */
  callbacks?: readonly TrainerCallback[];
  /** Folder of the runs (default: `runs`). */
  out?: string;
  /** Cancels reading the corpus. `train` has its own signal. */
  signal?: AbortSignal | undefined;
}

/** Everything a trainer requires, checked. */
export interface TrainerSetup {
  resolved: ResolvedConfig;
  model: Model;
  corpus: ReadCorpus;
  out: string;
  callbacks: readonly TrainerCallback[];
  /** Checkpoint of HF's Trainer, from which the run takes optimizer, schedule and random streams. */
  startFrom?: string;
  /** Last step to train again, on the full schedule. No model is saved then, and only the checkpoint of step `checkpoint.every`. */
  until?: number;
  /** Slot of a batched run (default: trains alone). */
  slot?: StackSlot;
  /** Step whose tensors are written into an existing directory. */
  trace?: { step: number; directory: string };
  /** Repository to record, null for none (default: the repository of the current folder). */
  repository?: RepositoryState | null | undefined;
}

/** Options of `Trainer.resume`. */
export interface ResumeOptions extends CallOptions {
  /** Resume in another environment too: steps after the checkpoint are replaced, and their bits may differ. */
  allowInexact?: boolean;
}

/** How a training ended. */
export interface TrainOutcome {
  status: "completed" | "stopped";
  /** Why it stopped early: `signal`, `decider`, or the reason given to `stop`; null if completed. */
  reason: string | null;
  steps: { planned: number; done: number };
  /** Seconds in HF's `train()`. */
  seconds: number;
  stepsPerSecond: number;
  /** HF's log history: entries with `loss` or `eval_loss`. */
  logHistory: Record<string, number>[];
  bestMetric: number | null;
  /** Step events that slow callbacks missed. The run's event log has them all. */
  coalesced: number;
  /** Absolute path of the run directory. */
  run: string;
}

export function trainOutcome(run: string, reply: ReplyOf<"trainer.train">, coalesced: number): TrainOutcome {
  const { status, reason, seconds } = reply;
  return {
    status,
    reason,
    steps: { planned: reply.max_steps, done: reply.global_step },
    seconds,
    stepsPerSecond: seconds > 0 ? reply.steps_this_time / seconds : 0,
    logHistory: reply.log_history,
    bestMetric: reply.best_metric,
    coalesced,
    run,
  };
}

/** The arguments of `Bridge.createTrainer`, except for fields of a configuration, which are checked with it. */
export function trainerArguments(session: PythonSession) {
  return z.looseObject({
    model: z.custom<Model>((value) => Model.isOf(session, value), "is not a model of this bridge: make one with createModel() of the same bridge"),
    callbacks: z.array(z.custom<object>((value) => typeof value === "object" && value !== null, "is not a TrainerCallback")).optional(),
    out: z.string().min(1).optional(),
    signal: z.custom<AbortSignal>((value) => value instanceof AbortSignal, "is not an AbortSignal").optional(),
  });
}
