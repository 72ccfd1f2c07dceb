import type { z } from "zod";
import type { RunConfig } from "../config/run-config-schema.js";
import type { History } from "../formats/history.js";
import { count, groupDigits } from "../text/format.js";
import type { Census } from "./census/census.js";
import type { AnalysisSettings, Observation } from "./scan/observation.js";
import type { Sightings } from "./scan/state-scanner.js";
import type { AnalysisSeries, LiveMeasure, SeriesChart, SeriesFigure } from "./series.js";
import type { Timeline } from "./timeline/timeline.js";

/** The run of a history: its configuration, environment and other recorded tensors. */
export interface RecordedRun {
  readonly config: RunConfig;
  readonly environment: { readonly device: string; readonly cpu_capability: string; readonly platform: string };
  /** Whether it started from the training state of a checkpoint, so that its first moments are not zero. */
  readonly goesOn: boolean;
  /** Tokens that never appear in its text. */
  readonly deadTokens: readonly number[];
  /** The recorded tensors, also those recorded later, by their names in `record.tensors`. */
  readonly tensors: readonly string[];
  /** @throws {BhBridgeError} `TENSOR_NOT_FOUND`, and what reading its file throws. */
  open(tensor: string): Promise<History>;
  /** Mismatches between a tensor's file and its checksums, in words; none if the file is as recorded. */
  damage?(tensor: string): Promise<readonly string[]>;
}

/** Adds notes to a document. */
export interface AnalysisNotes {
  note(line: string): void;
  /** Note that fields are omitted, and why. */
  leaveOut(fields: readonly string[], reason: string): void;
  /** `arrays`; if they have more than `maxTokens` entries, nothing and a note. @param within prefix of the fields, such as `initial.` */
  perToken<Arrays extends object>(arrays: Arrays, entries: number, within?: string): Partial<Arrays>;
}

/** Notes that are appended to `lines`. @param part prefix of the fields, such as `motion.`; empty for the document itself. */
export function analysisNotes(lines: string[], maxTokens: number, part: string): AnalysisNotes {
  const leaveOut = (fields: readonly string[], reason: string): void => {
    lines.push(`left out: ${fields.map((field) => `${part}${field}`).join(", ")}: ${reason}`);
  };
  return {
    note: (line) => lines.push(line),
    leaveOut,
    perToken(arrays, entries, within = "") {
      if (entries <= maxTokens) return arrays;
      const fields = Object.keys(arrays).map((name) => `${within}${name}`);
      leaveOut(fields, `${count(entries, "entry", "entries")}, more than ${groupDigits(maxTokens)} (maxTokens)`);
      return {};
    },
  };
}

/** A requirement of an analysis, or of some fields of its part. */
export interface Need {
  /** The fields to omit if it is unmet (default: the whole part). */
  readonly fields?: readonly string[];
  /** Why a history does not meet it, for the notes; undefined if it does. */
  unmet(history: History, settings: AnalysisSettings, run?: RecordedRun): string | undefined;
}

/** A history that has been read from end to end: the input of `finish`. Its notes name the fields of the part. */
export interface Analysed<Range> extends AnalysisNotes {
  readonly history: History;
  /** Another history to compare with, if one was given. */
  readonly against: History | undefined;
  /** The run of the history, if known. */
  readonly run: RecordedRun | undefined;
  readonly settings: AnalysisSettings;
  readonly signal: AbortSignal | undefined;
  /** Result of the analysis' observation over the whole history; undefined if it has none. */
  readonly range: Range;
  /** Black holes in every state and step. */
  readonly timeline: Timeline;
  readonly sightings: Sightings;
  readonly finalCensus: Census;
}

/** A table with formatted cells. */
export interface TextTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One analysis of a history: its requirements, observation, result, text, series and figures. */
export interface Analysis<
  Name extends string = string,
  Schema extends z.ZodType = z.ZodType,
  Range = unknown,
  SeriesName extends string = string,
  FigureName extends string = string,
> {
  /** Its field in the document, and its name for `--only`. */
  readonly name: Name;
  /** Schema of its part of the document. */
  readonly schema: Schema;
  /** Whether it runs only if requested by name, because it is slow or few runs record its inputs. */
  readonly isOnRequest?: boolean;
  /** Checked in this order, up to the first unmet one without `fields`. */
  readonly needs?: readonly Need[];
  /** Takes part in the one pass over the history; not needed if the timeline, the last state and states read again are enough. */
  readonly observation?: Observation<Range>;
  /** Computes its part of the document, which is JSON. */
  finish(analysed: Analysed<Range>): z.output<Schema> | Promise<z.output<Schema>>;
  /** Title of its section in printed output. */
  readonly title: string;
  /** Its part as printed lines and tables. @param stepOf the training step of a state. */
  print(part: z.output<Schema>, stepOf: (state: number) => number): readonly (string | TextTable)[];
  /** Its series, by the names that the page and figures use. This and the following fields have an effect for built-in analyses only. */
  readonly series?: Readonly<Record<SeriesName, AnalysisSeries<z.output<Schema>>>>;
  /** Charts of its series on the page. */
  readonly charts?: readonly SeriesChart<NoInfer<SeriesName>>[];
  /** Line figures of its series in reports. */
  readonly figures?: readonly SeriesFigure<NoInfer<SeriesName>, FigureName>[];
  /** Measures some of its series while a run has no analysis yet. */
  readonly live?: LiveMeasure<NoInfer<SeriesName>>;
}

/** Returns its argument, with inferred types. */
export function defineAnalysis<
  const Name extends string,
  Schema extends z.ZodType,
  Range = undefined,
  const SeriesName extends string = never,
  const FigureName extends string = never,
>(analysis: Analysis<Name, Schema, Range, SeriesName, FigureName>): Analysis<Name, Schema, Range, SeriesName, FigureName> {
  return analysis;
}

/** The part of a document that an analysis computed; undefined if the document has none. */
export function partOf<Schema extends z.ZodType>(document: object, { name }: Analysis<string, Schema>): z.output<Schema> | undefined {
  return Reflect.get(document, name) as z.output<Schema> | undefined;
}

/** Measuring holds three decoded copies of a state in memory, 400 MB for this many numbers. */
const maxMeasuredNumbers = 2 ** 24;

/** Requires a bfloat16 history, the only dtype with a lattice. @param fields the fields that need it (default: the whole part). */
export function latticeFor(fields?: readonly string[]): Need {
  return {
    ...(fields && { fields }),
    unmet: ({ dtype }) => (dtype === "BF16" ? undefined : `only bfloat16 has a lattice, and this history is ${dtype}`),
  };
}

/** Requires states small enough to decode. */
export const measurableStates: Need = {
  unmet({ tokens, dims }) {
    const numbers = tokens * dims;
    return numbers > maxMeasuredNumbers ? `a state has ${count(numbers, "number")}, more than ${groupDigits(maxMeasuredNumbers)}` : undefined;
  },
};
