import { batchedRuns } from "../../config/engine-schema.js";
import { BhBridgeError } from "../../errors.js";
import { count } from "../../text/count.js";
import type { Executor } from "../executors/executor.js";
import { stackOf } from "../pool/stack-of.js";
import type { Plan } from "./plan.js";
import type { Trial } from "./plan-trials.js";

/**
 * Refuse stacks that no trials fill, and an executor that has none.
 *
 * @throws {BhBridgeError} `USAGE` naming the trials.
 */
export function requireStacks(trials: readonly Trial[], { name, trainsAlone }: Pick<Executor, "name" | "trainsAlone">): void {
  const stacks = new Map<string, Trial[]>();
  for (const trial of trials) {
    const stack = stackOf(trial);
    if (stack !== undefined) stacks.set(stack, [...(stacks.get(stack) ?? []), trial]);
  }
  for (const alike of stacks.values()) {
    const width = alike[0] === undefined ? 1 : batchedRuns(alike[0].config);
    if (trainsAlone)
      throw new BhBridgeError(
        "USAGE",
        `engine.batched_runs is ${width}, and executor ${name} trains each trial alone: use executor local, or engine.batched_runs=1`,
      );
    if (alike.length < width) {
      throw new BhBridgeError(
        "USAGE",
        `engine.batched_runs is ${width}, and ${count(alike.length, "trial")} of this plan can be computed together: they may differ only in seeds, init and training.learning_rate. Set engine.batched_runs to at most ${alike.length}`,
      );
    }
  }
}

/** What to say of a plan whose stacks lie on a CPU; nothing where there are none. */
export function stackOnCpu({ trials, machine }: Pick<Plan, "trials" | "machine">): string | undefined {
  const isOnCpu = trials.some(({ config }) => batchedRuns(config) > 1 && (config.device === "cpu" || (config.device === "auto" && machine.device === "cpu")));
  return isOnCpu ? "On a CPU batched runs are no faster than trials one after another: omit engine.batched_runs, and use --workers" : undefined;
}
