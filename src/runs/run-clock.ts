import { spreadStates } from "../analysis/states.js";
import type { TrainEvent } from "../protocol/events.js";

/** How far a training was at some of its steps: what an axis of steps can be read by. */
export interface RunClock {
  /** Rising, from 0 to the newest. */
  steps: number[];
  seconds: number[];
  /** Null where the run does not tell them. */
  epochs: number[] | null;
}

/** When a step of a training ended. */
export interface StepTime {
  readonly step: number;
  readonly seconds: number;
  readonly epoch: number | null;
}

/** Counts the seconds of a training along its events: the time between an end and its resumption is not among them. */
export class TrainingTime {
  #seconds = 0;
  #mono: number | undefined;

  /** The seconds up to an event, which follows the one that was passed before. */
  upTo({ type, mono }: Pick<TrainEvent, "type" | "mono">): number {
    const before = type === "resumed" ? mono : (this.#mono ?? mono); // a resumed training is in another process, whose clock is its own
    this.#seconds += Math.max(0, mono - before);
    this.#mono = mono;
    return this.#seconds;
  }
}

/** When each step of a training ended, by its events. */
export function stepTimes(events: readonly TrainEvent[]): StepTime[] {
  const time = new TrainingTime();
  return events.flatMap((event) => {
    const seconds = time.upTo(event);
    return event.type === "step_end" ? [{ step: event.global_step, seconds, epoch: event.epoch }] : [];
  });
}

/** Steps of a clock: between them it goes evenly, as far as an axis shows. */
const mostSteps = 400;

/** The clock of a training by its steps, the newest among them; null in one that has taken none. */
export function runClock(steps: readonly StepTime[]): RunClock | null {
  if (steps.length === 0) return null;
  const told = spreadStates(steps.length, mostSteps).flatMap((index) => steps[index] ?? []);
  return {
    steps: [0, ...told.map(({ step }) => step)],
    seconds: [0, ...told.map(({ seconds }) => seconds)],
    epochs: told.every(({ epoch }) => epoch !== null) ? [0, ...told.map(({ epoch }) => epoch ?? 0)] : null,
  };
}
