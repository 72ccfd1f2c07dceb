import { z } from "zod";
import type { ResolvedConfig } from "../config/resolve-run-config.js";
import type { SeedsInput } from "../config/run-config-input.generated.js";
import type { RunConfigInput } from "../config/run-config-schema.js";
import type { ReplyOf } from "../protocol/operations.js";
import type { PythonSession } from "../python/python-session.js";
import type { RepositoryState } from "../runs/git-state.js";
import type { CorpusFacts } from "../runs/run-manifest.js";
import { type CallOptions, Model } from "./model.js";
import type { TrainerCallback } from "./trainer-callback.js";
import type { StackSeat } from "./training-stack.js";

/** What a trainer needs beside its model; the fields are those of a configuration. */
export interface TrainerOptions extends Pick<RunConfigInput, "data" | "training" | "noise" | "record" | "checkpoint" | "device" | "name"> {
  /** Seeds of the two streams that are drawn from in the training; each follows the model's `seed` when left out. */
  seeds?: Pick<SeedsInput, "data" | "noise">;
  /** The model to train; its seed and its configuration are the run's. */
  model: Model;
  /** Observers and deciders, called in their order. */
  callbacks?: readonly TrainerCallback[];
  /** The folder that holds the runs; `runs` when left out. */
  out?: string;
  /** Ends the reading of the corpus; a training has a signal of its own. */
  signal?: AbortSignal | undefined;
}

/** What a trainer is made of, once everything has been checked. */
export interface TrainerSetup {
  resolved: ResolvedConfig;
  model: Model;
  corpus: CorpusFacts;
  out: string;
  callbacks: readonly TrainerCallback[];
  /** A checkpoint of HF's Trainer, whose optimizer, schedule and random streams the run begins with. */
  startFrom?: string;
  /** The step after which steps that are trained again end, on the schedule of all; neither checkpoint nor model is left then. */
  until?: number;
  /** Where it is trained beside others; it trains alone when left out. */
  seat?: StackSeat;
  /** The step whose tensors are written, one by one, into a directory that is there. */
  trace?: { step: number; directory: string };
  /** The repository that the run notes, null for none; that of the current folder when left out. */
  repository?: RepositoryState | null | undefined;
}

/** How a run goes on that ended early. */
export interface ResumeOptions extends CallOptions {
  /** Go on in another environment as well: the steps after the checkpoint are replaced, and the bits are others from there on. */
  allowInexact?: boolean;
}

/** How a training ended. */
export interface TrainOutcome {
  status: "completed" | "stopped";
  /** Why it stopped early: `signal`, `decider`, or what was given to `stop`; null when it completed. */
  reason: string | null;
  steps: { planned: number; done: number };
  /** Seconds in HF's `train()`. */
  seconds: number;
  stepsPerSecond: number;
  /** HF's log history: entries with `loss` or `eval_loss`. */
  logHistory: Record<string, number>[];
  bestMetric: number | null;
  /** Events of steps that callbacks did not get because they fell far behind; the run's own log has them all. */
  coalesced: number;
  /** Absolute path of the run directory. */
  run: string;
}

/** The outcome of a training that Python has ended. */
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

const remedy = "make one with createModel() of the same bridge";

/** What `Bridge.createTrainer` takes beside the fields of a configuration, which are checked with it. */
export function trainerArguments(session: PythonSession) {
  return z.looseObject({
    model: z.custom<Model>((value) => Model.isOf(session, value), `is not a model of this bridge: ${remedy}`),
    callbacks: z.array(z.custom<object>((value) => typeof value === "object" && value !== null, "is not a TrainerCallback")).optional(),
    out: z.string().min(1).optional(),
    signal: z.custom<AbortSignal>((value) => value instanceof AbortSignal, "is not an AbortSignal").optional(),
  });
}
