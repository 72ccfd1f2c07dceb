import type { Axis } from "./figure.js";

/** An axis with a linear scale, as far as its data go. */
export function axis(label: string, unit: string | null = null, over: Partial<Axis> = {}): Axis {
  return { label, unit, scale: "linear", zero: false, domain: null, ticks: null, ...over };
}

/** What the axis of the steps is called. */
export const stepLabel = "training step";

/** The axis that charts of one training share. */
export function stepAxis(over: Partial<Axis> = {}): Axis {
  return axis(stepLabel, null, over);
}

/** An axis of numbers of things, which begins at nothing. */
export function countAxis(label: string): Axis {
  return axis(label, null, { zero: true });
}
