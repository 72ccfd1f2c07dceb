import type { Figure, Source } from "../figure.js";
import type { RunSource } from "./run-source.js";

/** Why a run has nothing for a figure to show, and what would give it. */
export interface Absent {
  readonly absent: string;
}

/** What a figure shows of one run. */
interface Shown<Data> {
  /** What the run is called among the runs of the figure. */
  readonly label: string;
  readonly source: Source;
  readonly data: Data;
}

/** A figure of runs: what it reads of each, and what it makes of that. */
export interface RunFigure<Name extends string = string, Data = unknown> {
  readonly name: Name;
  /** Whether it shows several runs over one another; else each run has a figure of its own. */
  readonly overlays: boolean;
  /** From the files of a run. */
  read(run: RunSource): Promise<Data | Absent>;
  /** Pure: the same data make the same figure. @param runs one or more; one, where it does not overlay. */
  describe(runs: readonly Shown<Data>[]): Figure;
}

/** A figure whose types follow from one another. */
export function defineRunFigure<const Name extends string, Data>(figure: RunFigure<Name, Data>): RunFigure<Name, Data> {
  return figure;
}

export function isAbsent(data: unknown): data is Absent {
  return typeof data === "object" && data !== null && "absent" in data;
}
