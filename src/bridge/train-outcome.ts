import type { ReplyOf } from "../protocol/operations.js";

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
