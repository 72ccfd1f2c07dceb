import { spreadStates } from "../analysis/spread-states.js";
import type { TrainEvent } from "../protocol/events.js";

/** How far a training was at some of its steps, from the first to the last: what an axis of steps can be read by. */
export interface RunClock {
  readonly steps: readonly number[];
  readonly epochs: readonly number[];
  /** Of training: the time between a stop and what resumed it does not count. */
  readonly seconds: readonly number[];
}

/** Between these the clock goes evenly, as far as an axis shows. */
const mostSteps = 200;

/** The clock of a run by its events; undefined before its second step. A step that was taken again after a resumption counts as it was taken last. */
export function runClock(events: readonly TrainEvent[]): RunClock | undefined {
  const taken = new Map<number, { epoch: number; seconds: number }>();
  let before: TrainEvent | undefined;
  for (const event of events) {
    if (event.type === "step_end" && event.epoch !== null) {
      const seconds = (taken.get(event.global_step - 1)?.seconds ?? 0) + (before ? event.mono - before.mono : 0);
      taken.set(event.global_step, { epoch: event.epoch, seconds });
    }
    if (event.type === "step_end" || event.type === "train_begin" || event.type === "resumed") before = event;
  }
  if (taken.size < 2) return undefined;
  const steps = [...taken].sort(([a], [b]) => a - b);
  const told = spreadStates(steps.length, mostSteps).flatMap((index) => (steps[index] ? [steps[index]] : []));
  return { steps: told.map(([step]) => step), epochs: told.map(([, { epoch }]) => epoch), seconds: told.map(([, { seconds }]) => seconds) };
}
