import type { z } from "zod";
import type { History } from "../formats/history.js";
import type { AnalysisNotes } from "./analysis-notes.js";
import type { AnalysisSettings } from "./analysis-settings.js";
import type { Census } from "./census.js";
import type { RecordedRun } from "./recorded-run.js";
import type { Observation } from "./scan/observation.js";
import type { Sightings } from "./scan/state-scanner.js";
import type { AnalysisSeries, LiveMeasure, SeriesChart, SeriesFigure } from "./series.js";
import type { Timeline } from "./timeline.js";

/** What a history has to be for an analysis, or for some fields of its part. */
export interface Need {
  /** The fields that are left out where it is not met; the whole part when absent. */
  readonly fields?: readonly string[];
  /** Why a history does not meet it, for the notes; undefined when it does. */
  unmet(history: History, settings: AnalysisSettings, run?: RecordedRun): string | undefined;
}

/** What an analysis makes its part of: a history that has been read from end to end. Its notes name the fields of the part. */
export interface Analysed<Range> extends AnalysisNotes {
  readonly history: History;
  /** Another history, which this one is compared with; undefined where none was named. */
  readonly against: History | undefined;
  /** The run that the history is of, where it is known. */
  readonly run: RecordedRun | undefined;
  readonly settings: AnalysisSettings;
  readonly signal: AbortSignal | undefined;
  /** What its observation came to, over the whole history; undefined where it has none. */
  readonly range: Range;
  /** Black holes in every state and step. */
  readonly timeline: Timeline;
  readonly sightings: Sightings;
  readonly finalCensus: Census;
}

/** A table, its cells as they are read. */
export interface TextTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One analysis of a history, whole: what it looks at, what it makes of it, and how that is reported. */
export interface Analysis<
  Name extends string = string,
  Schema extends z.ZodType = z.ZodType,
  Range = unknown,
  SeriesName extends string = string,
  FigureName extends string = string,
> {
  /** Its field in the document, and its name for `--only`. */
  readonly name: Name;
  /** Of its part of the document. */
  readonly schema: Schema;
  /** Made only where it is asked for by name: it takes its time, or few runs record what it needs. */
  readonly isOnRequest?: boolean;
  /** In this order: the first that takes the whole part away ends it. */
  readonly needs?: readonly Need[];
  /** What it looks at in the one pass; nothing where the timeline, the last state and states read again are enough. */
  readonly observation?: Observation<Range>;
  /** Its part of the document: JSON, as the schema has it. */
  finish(analysed: Analysed<Range>): z.output<Schema> | Promise<z.output<Schema>>;
  /** Of its section for people. */
  readonly title: string;
  /** What people read of its part, line by line. @param stepOf the training step of a state. */
  print(part: z.output<Schema>, stepOf: (state: number) => number): readonly (string | TextTable)[];
  /** Its series, by the names under which the page and figures refer to them. These and what follows are read of bh-bridge's own analyses only. */
  readonly series?: Readonly<Record<SeriesName, AnalysisSeries<z.output<Schema>>>>;
  /** The charts that the page draws of its series. */
  readonly charts?: readonly SeriesChart<NoInfer<SeriesName>>[];
  /** The figures of lines that reports draw of its series. */
  readonly figures?: readonly SeriesFigure<NoInfer<SeriesName>, FigureName>[];
  /** Measures some of its series while a run has no analysis yet. */
  readonly live?: LiveMeasure<NoInfer<SeriesName>>;
}

/** An analysis whose types follow from one another. */
export function defineAnalysis<
  const Name extends string,
  Schema extends z.ZodType,
  Range = undefined,
  const SeriesName extends string = never,
  const FigureName extends string = never,
>(analysis: Analysis<Name, Schema, Range, SeriesName, FigureName>): Analysis<Name, Schema, Range, SeriesName, FigureName> {
  return analysis;
}

/** What an analysis found, of a document; undefined when it was not made. */
export function partOf<Schema extends z.ZodType>(document: object, { name }: Analysis<string, Schema>): z.output<Schema> | undefined {
  return Reflect.get(document, name) as z.output<Schema> | undefined;
}
