import { BhBridgeError } from "../errors.js";
import type { History } from "../formats/history.js";

/** The numbers of a series; null where a number is not finite. */
type SeriesValues = readonly (number | null)[];

/** One series of an analysis: a number for each state, or for each step between two states. */
export interface AnalysisSeries<Part> {
  /** `state`: entry i belongs to state i. `step`: entry i belongs to the step from state i to state i + 1. */
  readonly per: "state" | "step";
  /** Its name in the legend of a chart. */
  readonly label: string;
  /** Its numbers in the analysis' part of a document; absent for a series that only `live` measures. */
  of?(part: Part): SeriesValues | undefined;
}

/** Series that the page of a run draws in one chart. */
export interface SeriesChart<Name extends string = string> {
  /** Names the chart in addresses and in files. */
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  readonly isLog?: boolean;
  readonly series: readonly Name[];
}

/** A figure of lines over the training steps, as plain data. */
export interface SeriesFigure<Name extends string = string, FigureName extends string = string> {
  readonly name: FigureName;
  readonly title: string;
  readonly caption: string;
  readonly panels: readonly {
    readonly title: string;
    readonly y: { readonly label: string; readonly unit: string; readonly scale?: "linear" | "log"; readonly zero?: boolean };
    /** The series, whose labels are their names in the legend. */
    readonly lines: readonly Name[];
  }[];
}

/** The layout of the states that a live measure gets. */
interface LiveShape {
  readonly tokens: number;
  readonly dims: number;
  /** Whether the history is float64: a step of any other is subtracted in float32. */
  readonly isFloat64: boolean;
}

/** Measures single states of a run that has not been analysed, for its page. */
export interface LiveMeasure<Name extends string = string> {
  readonly series: readonly Name[];
  /**
   * Prepare to measure states of one shape, in any order.
   *
   * @param first the first state of the history, decoded, `[tokens, dims]`. The memory is reused: copy what you keep.
   * @returns a function of a state and of the one before it, which is undefined for the first state and where steps are not wanted. NaN where a series has no number.
   */
  start(shape: LiveShape, first: Float64Array): (values: Float64Array, before: Float64Array | undefined) => { readonly [Each in Name]?: number };
}

/** At most `most` evenly spread states, with the first and the last. */
export function spreadStates(states: number, most: number): number[] {
  const count = Math.min(states, most);
  return Array.from({ length: count }, (_, index) => Math.round((index * (states - 1)) / Math.max(1, count - 1)));
}

/** A history cut after one of its states; closing it closes the original. @throws {BhBridgeError} `USAGE` if there is no such state. */
export function historyUntil(history: History, lastState: number): History {
  if (!Number.isInteger(lastState) || lastState < 0 || lastState >= history.states) {
    throw new BhBridgeError("USAGE", `${history.source} has the states 0 to ${history.states - 1}, not ${lastState}`);
  }
  const { source, dtype, tokens, dims, steps, rowTokens, raw } = history;
  return {
    ...{ source, dtype, states: lastState + 1, tokens, dims, rowTokens },
    ...(steps && { steps: steps.slice(0, lastState + 1) }),
    ...(raw && { raw }),
    read: (first, count, target) => history.read(first, count, target),
    close: () => history.close(),
  };
}

/** The states of figures that show a few moments: the first, those after some shares of the training, and the last. */
export function chosenStates(states: number, shares: readonly number[] = [0.01, 0.1]): number[] {
  const last = states - 1;
  return [...new Set([0, ...shares.map((share) => Math.round(last * share)), last])];
}
