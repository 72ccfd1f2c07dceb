import type { Bridge } from "../../bridge/bridge.js";
import { TrainingStack } from "../../bridge/training-stack.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { trainTrial } from "./train-trial.js";
import type { Training, TrialEnd } from "./trial-task.js";
import type { TrialPython, WarmPython } from "./warm-python.js";

/** Train one trial, or those of a stack together, or go on with their runs; whatever becomes of one is its end, and the others go on. */
export async function trainTrials(trainings: readonly Training[], python: WarmPython, signal: AbortSignal): Promise<TrialEnd[]> {
  const [first, second] = trainings;
  if (first && !second) return [await trainTrial(first.task, python, first.listener, signal)];
  const stack = new TrainingStack();
  const shared = new SharedPython(python);
  const members = trainings.map((training) => ({ ...training, seat: stack.seat() }));
  const ends = await Promise.all(
    members.map(async ({ task, listener, seat }) => {
      try {
        return await trainTrial(task, shared, listener, signal, seat);
      } finally {
        seat.leave();
      }
    }),
  );
  if (shared.isToBeClosed) await python.close();
  return ends;
}

/** The Python of trials that are trained together: made ready once, and closed when none of them needs it. */
class SharedPython implements TrialPython {
  readonly #python: WarmPython;
  #bridge: Promise<Bridge> | undefined;
  isToBeClosed = false;

  constructor(python: WarmPython) {
    this.#python = python;
  }

  for(config: RunConfig, signal: AbortSignal): Promise<Bridge> {
    this.#bridge ??= this.#python.for(config, signal);
    return this.#bridge;
  }

  get files() {
    return this.#python.files;
  }

  get repository() {
    return this.#python.repository;
  }

  async close(): Promise<void> {
    this.isToBeClosed = true;
  }
}
