/** A line of a chart: rising x, and a y for each; NaN where there is none. */
export interface Line {
  readonly x: readonly number[];
  readonly y: readonly number[];
}
