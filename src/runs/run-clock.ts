import { spreadStates } from "../analysis/series.js";
import type { TrainEvent } from "../protocol/events.js";

/** Seconds and epochs at some steps of a training, for other units of an axis of steps. */
export interface RunClock {
  /** Ascending, from 0 to the newest. */
  steps: number[];
  seconds: number[];
  /** Null if the run has not recorded them. */
  epochs: number[] | null;
}

/** The end of a training step. */
export interface StepTime {
  readonly step: number;
  readonly seconds: number;
  readonly epoch: number | null;
}

/** Counts the seconds of a training by its events, without the time between an end and its resumption. */
export class TrainingTime {
  #seconds = 0;
  #mono: number | undefined;

  /** The seconds up to an event. Events must be passed in order. */
  upTo({ type, mono }: Pick<TrainEvent, "type" | "mono">): number {
    const before = type === "resumed" ? mono : (this.#mono ?? mono); // a resumed training has the clock of another process
    this.#seconds += Math.max(0, mono - before);
    this.#mono = mono;
    return this.#seconds;
  }
}

/** The end of each step of a training, by its events. */
export function stepTimes(events: readonly TrainEvent[]): StepTime[] {
  const time = new TrainingTime();
  return events.flatMap((event) => {
    const seconds = time.upTo(event);
    return event.type === "step_end" ? [{ step: event.global_step, seconds, epoch: event.epoch }] : [];
  });
}

/** Maximum number of steps; an axis interpolates between them. */
const mostSteps = 400;

/** The clock of a training by its steps, including the newest; null without steps. */
export function runClock(steps: readonly StepTime[]): RunClock | null {
  if (steps.length === 0) return null;
  const shown = spreadStates(steps.length, mostSteps).flatMap((index) => steps[index] ?? []);
  return {
    steps: [0, ...shown.map(({ step }) => step)],
    seconds: [0, ...shown.map(({ seconds }) => seconds)],
    epochs: shown.every(({ epoch }) => epoch !== null) ? [0, ...shown.map(({ epoch }) => epoch ?? 0)] : null,
  };
}
