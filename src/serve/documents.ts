import { z } from "zod";
import { dtypes } from "../formats/matrix.js";
import { runRowSchema } from "../runner/run-row.js";
import { trainResultSchema } from "../runner/train-result.js";
import { environmentPinSchema } from "../runs/run-manifest.js";
import { experimentDocumentSchema } from "../sweep/experiment/experiment-summary.js";
import { sweepTrialSchema } from "../sweep/sweep-document.js";

const count = z.int().nonnegative();
const id = z.string().describe("Made by the server; it stands for a directory, and names no path");
const value = z.json();

/** The one line of `serve --json`. */
export const serveDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/serve@1"), url: z.string() });
export type ServeDocument = z.output<typeof serveDocumentSchema>;

/** One run of the page's list. */
const servedRunSchema = z.strictObject({
  id,
  ...runRowSchema.shape,
  /** Name of its directory alone. */
  run: z.string(),
  /** The experiment or sweep that it belongs to. */
  plan: id.nullable(),
  /** Name of the archive that it came from. */
  archive: z.string().nullable(),
  /** Values of the configuration that are not the same in all listed runs, by dotted path. */
  differs: z.record(z.string(), value),
});
export type ServedRunRow = z.output<typeof servedRunSchema>;

/** An experiment or a sweep in a list. */
const servedPlanSchema = z.strictObject({
  id,
  kind: z.enum(["experiment", "sweep"]),
  name: z.string(),
  directory: z.string().describe("Its name alone"),
  arms: z.array(z.string()),
  counts: z.record(z.string(), count),
  verdict: z.string().nullable(),
  problem: z.string().nullable(),
});

/** `/api/runs`: what lies in the folders. */
export const shelfDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-runs@1"),
  /** Runs that there are, whatever was asked for. */
  total: count,
  runs: z.array(servedRunSchema),
  plans: z.array(servedPlanSchema),
  /** What can be filtered and sorted by. */
  fields: z.array(z.string()),
});
export type ShelfDocument = z.output<typeof shelfDocumentSchema>;

/** `/api/runs/ID`: one run. */
export const servedRunDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-run@1"),
  ...servedRunSchema.omit({ differs: true }).shape,
  /** Complete, by dotted path. */
  config: z.record(z.string(), value).nullable(),
  /** What differs from the preset. */
  changes: z.array(z.strictObject({ path: z.string(), before: value, after: value })),
  environment: environmentPinSchema.nullable(),
  /** How its steps are computed, in words. */
  stepMethod: z.string().nullable(),
  corpus: z.strictObject({ tokens: count, distinct: count, dead: count, sha256: z.string() }).nullable(),
  checkpoints: z.array(count),
  alerts: z.array(z.strictObject({ step: count, message: z.string() })),
  result: trainResultSchema.nullable(),
  /** The command that goes on with it, or looks closer. */
  next: z.string().nullable(),
  /** Files that can be taken away, by name. */
  files: z.array(z.strictObject({ name: z.string(), bytes: count })),
  /** Figures that can be drawn, where the run has what they show. */
  figures: z.array(z.string()),
});
export type ServedRunDocument = z.output<typeof servedRunDocumentSchema>;

/** One line of a chart. */
const seriesSchema = z.strictObject({
  name: z.string(),
  x: z.array(z.number()).describe("Training steps"),
  y: z.array(z.number().nullable()),
});
export type Series = z.output<typeof seriesSchema>;

/** Which epoch and how many seconds of training a step was at, by rising steps; null where the run does not tell epochs. */
const clockSchema = z.strictObject({ steps: z.array(count), seconds: z.array(z.number()), epochs: z.array(z.number()).nullable() });
export type Clock = z.output<typeof clockSchema>;

/** `/api/runs/ID/series`: the lines of a run, long ones reduced so that smallest and largest values stay. */
export const seriesDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-series@1"),
  id,
  /** The newest step. */
  step: count,
  planned: count,
  series: z.array(seriesSchema),
  clock: clockSchema.nullable(),
  /** What a reader of the numbers should know. */
  notes: z.array(z.string()),
});
export type SeriesDocument = z.output<typeof seriesDocumentSchema>;

/** `/api/overlay`: one line of each of several runs. */
export const overlayDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-overlay@1"),
  name: z.string(),
  lines: z.array(
    z.strictObject({
      id,
      x: z.array(z.number()),
      y: z.array(z.number().nullable()),
      clock: clockSchema.nullable().optional().describe("Where it was asked for: it takes a reading of the event log"),
    }),
  ),
});
export type OverlayDocument = z.output<typeof overlayDocumentSchema>;

/** `/api/runs/ID/history`: what the recorded states are. */
export const historyDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-history@1"),
  id,
  states: count,
  tokens: count,
  dims: count,
  dtype: z.enum(dtypes),
  stateBytes: count,
  /** The training step of each state; null when state i is step i. */
  steps: z.array(count).nullable(),
  /** The token of each row; null when row i is token i. */
  ids: z.array(count).nullable(),
  /** How the token of each row is written; null where it stands for no text, or none is known. */
  texts: z.array(z.string().nullable()),
  /** Rows of tokens that are not in the training text. */
  dead: z.array(count),
});
export type HistoryDocument = z.output<typeof historyDocumentSchema>;

/** `/api/runs/ID/basis`: directions to look along, the same for the whole path. */
export const basisDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-basis@1"),
  mean: z.array(z.number()),
  components: count,
  /** Row by row, `components` × dims. */
  directions: z.array(z.number()),
  /** Largest distance from the mean along each. */
  reach: z.array(z.number()),
});
export type BasisDocument = z.output<typeof basisDocumentSchema>;

/** `/api/runs/ID/path`: where a row was at states evenly spread over the training. */
export const rowPathDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-path@1"),
  row: count,
  states: z.array(count),
  /** In the directions of the run's basis. */
  places: z.array(z.array(z.number())),
});
export type RowPathDocument = z.output<typeof rowPathDocumentSchema>;

/** `/api/runs/ID/census`: the black holes of a state. */
export const censusOfStateDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-census@1"),
  state: count,
  step: count,
  rows: count,
  unique: count,
  C: count,
  P: count,
  holes: z.array(z.strictObject({ population: count, tokens: z.array(count) })),
});
export type CensusOfStateDocument = z.output<typeof censusOfStateDocumentSchema>;

/** `/api/plans/ID`: an experiment or a sweep, with what became of its trials. */
export const planDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-plan@1"),
  ...servedPlanSchema.shape,
  seeds: z.array(z.int()),
  trials: z.array(
    z.strictObject({
      ...sweepTrialSchema.omit({ run: true }).shape,
      /** Its run. */
      run: id.nullable(),
      arm: z.string().nullable(),
      seed: z.int().nullable(),
    }),
  ),
  /** Of an experiment that has been judged. */
  judged: experimentDocumentSchema.pick({ measures: true, confounds: true, verdict: true, traps: true }).nullable(),
});
export type PlanDocument = z.output<typeof planDocumentSchema>;

/** `POST /api/archives`: what was in a zip that was dropped on the page. */
export const droppedDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-dropped@1"),
  name: z.string(),
  runs: z.array(id),
  plans: z.array(id),
});
export type DroppedDocument = z.output<typeof droppedDocumentSchema>;

/** What the stream of changes tells: a run or a plan is new or has changed, is gone, or too much was missed. */
export const liveChangeSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("run"), run: servedRunSchema.omit({ differs: true }) }),
  z.strictObject({ kind: z.literal("gone"), id }),
  z.strictObject({ kind: z.literal("plans") }),
  z.strictObject({ kind: z.literal("everything") }),
]);
export type LiveChange = z.output<typeof liveChangeSchema>;
