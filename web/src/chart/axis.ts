import type { Clock } from "../documents.js";

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
  /** The step at which it was reported. */
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

/** What a chart can run along. */
const axisNames = ["step", "epoch", "seconds"] as const;
export type AxisName = (typeof axisNames)[number];

/** How the x of a chart's lines becomes a place on its axis, and back. */
export interface ChartAxis {
  readonly name: AxisName;
  /** What the x of the lines is. */
  readonly given: AxisName;
  of(x: number): number;
  /** A number that stands on the axis, as an x of the lines. */
  back(value: number): number;
}

/** An axis of what the x of the lines is already; the same one for the same name. */
export function plainAxis(name: AxisName): ChartAxis {
  return plainAxes[name];
}

const same = (x: number) => x;
const plainAxes: Readonly<Record<AxisName, ChartAxis>> = {
  step: { name: "step", given: "step", of: same, back: Math.round },
  epoch: { name: "epoch", given: "epoch", of: same, back: same },
  seconds: { name: "seconds", given: "seconds", of: same, back: same },
};

/** An axis for lines over steps; that of steps, where the clock cannot tell the other. */
export function axisOf(name: AxisName, clock: Clock | null | undefined): ChartAxis {
  const reading = clock && name !== "step" ? clockReading(clock, name === "epoch" ? "epochs" : "seconds") : undefined;
  return reading ? { name, given: "step", of: reading.of, back: (value) => Math.round(reading.back(value)) } : plainAxis("step");
}

/** The axes that a clock can tell, as the options of a choice. */
export function axisChoices({ epochs }: Pick<Clock, "epochs">): (readonly [AxisName, AxisName])[] {
  return axisNames.filter((name) => name !== "epoch" || epochs).map((name) => [name, name]);
}

/** The name of an axis in an address; steps where it is none. */
export function axisName(text: string | null): AxisName {
  return axisNames.find((name) => name === text) ?? "step";
}
