/** What a clock can say of a step beside its number. */
export type ClockPart = "epochs" | "seconds";

/** Which epoch and how many seconds of training some steps were at, all of them rising; null where the run does not tell epochs. */
interface StepClock {
  readonly steps: readonly number[];
  readonly seconds: readonly number[];
  readonly epochs: readonly number[] | null;
}

/** Steps read by a clock: along straight lines between those that it tells, and on along the first and the last of them. */
export interface ClockReading {
  /** What the clock says at a step. */
  of(step: number): number;
  /** The step at which it says so. */
  back(value: number): number;
}

/** A reading of steps by their epochs or seconds; undefined where the clock does not tell them. */
export function clockReading(clock: StepClock, part: ClockPart): ClockReading | undefined {
  const told = clock[part];
  return told ? { of: (step) => between(clock.steps, told, step), back: (value) => between(told, clock.steps, value) } : undefined;
}

function between(x: readonly number[], y: readonly number[], at: number): number {
  let low = 0;
  let high = x.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) <= at) low = middle;
    else high = middle;
  }
  const [from = 0, to = 0, start = 0, end = 0] = [x[low], x[high], y[low], y[high]];
  return to === from ? start : start + ((at - from) * (end - start)) / (to - from);
}
