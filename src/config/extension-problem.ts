import { count } from "../text/count.js";
import type { RunConfig } from "./run-config-schema.js";

/** Schedules whose learning rate at a step does not depend on how many steps there are. */
const openSchedules: readonly string[] = ["constant", "constant_with_warmup", "inverse_sqrt", "reduce_lr_on_plateau"];

/** Counts of steps that, below 1, are fractions of `max_steps`. */
const fractions = ["warmup_steps", "logging_steps", "eval_steps"] as const;

/**
 * Why a run cannot be given another number of steps; nothing when it can.
 *
 * It can when its first steps are those of a run that had that number from the start, bit for bit: what was computed stays valid.
 *
 * @param done steps that have been taken already.
 */
export function extensionProblem({ training }: RunConfig, steps: number, done: number): string | undefined {
  const schedule = training.lr_scheduler_type;
  if (!openSchedules.includes(schedule)) {
    return `its schedule "${schedule}" was planned for ${count(training.max_steps, "step")}, so that a run of ${count(steps, "step")} would have been another one from its first step. Start a new run of ${count(steps, "step")}, or go on from the weights alone with model.from (--from RUN/final on the command line)`;
  }
  const fraction = fractions.find((field) => typeof training[field] === "number" && training[field] > 0 && training[field] < 1);
  if (fraction) return `its training.${fraction} is a fraction of training.max_steps, so that another number of steps changes what was done already`;
  if (steps < done) return `it has taken ${count(done, "step")} already`;
  return undefined;
}
