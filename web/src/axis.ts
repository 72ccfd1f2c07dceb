import { clockReading } from "./clock-reading.js";
import type { Clock } from "./documents.js";

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
