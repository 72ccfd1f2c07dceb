/** A closed interval of numbers. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The level of an interval where none is named. */
export const usualLevel = 0.95;
