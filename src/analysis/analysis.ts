import type { z } from "zod";
import type { RunConfig } from "../config/run-config-schema.js";
import type { History } from "../formats/history.js";
import { count, groupDigits } from "../text/format.js";
import type { Census } from "./census/census.js";
import type { AnalysisSettings, Observation } from "./scan/observation.js";
import type { Sightings } from "./scan/state-scanner.js";
import type { AnalysisSeries, LiveMeasure, SeriesChart, SeriesFigure } from "./series.js";
import type { Timeline } from "./timeline/timeline.js";

/** The run that a history is of: what else it recorded, and how it was trained. */
export interface RecordedRun {
  readonly config: RunConfig;
  readonly environment: { readonly device: string; readonly cpu_capability: string; readonly platform: string };
  /** Whether it began with the training state of a checkpoint, so that its first moments are not zero. */
  readonly goesOn: boolean;
  /** Tokens that its text does not have. */
  readonly deadTokens: readonly number[];
  /** The tensors that it recorded, by their names in `record.tensors`; those that were recorded later included. */
  readonly tensors: readonly string[];
  /** @throws {BhBridgeError} `TENSOR_NOT_FOUND`, and what reading its file throws. */
  open(tensor: string): Promise<History>;
  /** What the checksums beside a tensor say against its file, in words: nothing where it is as it was recorded. */
  damage?(tensor: string): Promise<readonly string[]>;
}

/** What a document, or one of its parts, says in its notes. */
export interface AnalysisNotes {
  note(line: string): void;
  /** Note that fields are left out, and why. */
  leaveOut(fields: readonly string[], reason: string): void;
  /** `arrays`, unless they have more than `maxTokens` entries, which is noted. @param within where they stand, such as `initial.` */
  perToken<Arrays extends object>(arrays: Arrays, entries: number, within?: string): Partial<Arrays>;
}

/** Notes that become lines of a document. @param part what stands before the name of each field, such as `motion.`; nothing for the document itself */
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

/** Measuring holds three decoded copies of a state in memory: at this many numbers, 400 MB. */
const maxMeasuredNumbers = 2 ** 24;

/** Only bfloat16 histories have a lattice. @param fields those that need it; the whole part when absent. */
export function latticeFor(fields?: readonly string[]): Need {
  return {
    ...(fields && { fields }),
    unmet: ({ dtype }) => (dtype === "BF16" ? undefined : `only bfloat16 has a lattice, and this history is ${dtype}`),
  };
}

/** An analysis that observes states has them decoded, which takes memory. */
export const measurableStates: Need = {
  unmet({ tokens, dims }) {
    const numbers = tokens * dims;
    return numbers > maxMeasuredNumbers ? `a state has ${count(numbers, "number")}, more than ${groupDigits(maxMeasuredNumbers)}` : undefined;
  },
};
