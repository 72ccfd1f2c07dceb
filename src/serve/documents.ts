import { z } from "zod";
import { dtypes } from "../formats/matrix.js";
import { runRowSchema } from "../runner/run-row.js";
import { trainResultSchema } from "../runner/train-result.js";
import { environmentPinSchema } from "../runs/run-manifest.js";
import { experimentDocumentSchema } from "../sweep/experiment/experiment-summary.js";
import { sweepTrialSchema } from "../sweep/sweep-document.js";

const count = z.int().nonnegative();
const id = z.string().describe("Identity of a directory, created by the server; not a path");
const value = z.json();

/** The document of `serve --json`. */
export const serveDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/serve@1"), url: z.string() });
export type ServeDocument = z.output<typeof serveDocumentSchema>;

const servedRunSchema = z.strictObject({
  id,
  ...runRowSchema.shape,
  /** Name of its directory. */
  run: z.string(),
  /** The experiment or sweep that it belongs to. */
  plan: id.nullable(),
  archive: z.string().nullable(),
  /** Its arm in the experiment. */
  arm: z.string().nullable().optional(),
  /** Values of the configuration that are not equal in all listed runs, by dotted path. */
  differs: z.record(z.string(), value),
});
export type ServedRunRow = z.output<typeof servedRunSchema>;

const servedPlanSchema = z.strictObject({
  id,
  kind: z.enum(["experiment", "sweep"]),
  name: z.string(),
  directory: z.string().describe("Name of its directory"),
  arms: z.array(z.string()),
  counts: z.record(z.string(), count),
  verdict: z.string().nullable(),
  problem: z.string().nullable(),
});

/** `/api/runs`: the contents of the folders. */
export const shelfDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-runs@1"),
  /** Number of all runs, regardless of the filter. */
  total: count,
  runs: z.array(servedRunSchema),
  plans: z.array(servedPlanSchema),
  /** The run of the parameter `baseline`, whether or not it is listed. */
  baseline: servedRunSchema.nullable().optional(),
  /** Fields to filter and sort by. */
  fields: z.array(z.string()),
});
export type ShelfDocument = z.output<typeof shelfDocumentSchema>;

const runOutlineSchema = z.strictObject({
  id,
  /** Number of recorded tokens. */
  rows: count.nullable(),
  /** Population of black holes over training steps. */
  P: z.strictObject({ x: z.array(count), y: z.array(count.nullable()) }).nullable(),
  /** Null while it is running. */
  verdict: trainResultSchema.shape.verdict.nullable(),
  /** Seconds of training so far. */
  seconds: z.number().nullable(),
});
export type RunOutline = z.output<typeof runOutlineSchema>;

/** `/api/outlines`: what the list shows of runs in addition to their rows. */
export const outlinesDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/serve-outlines@1"), outlines: z.array(runOutlineSchema) });
export type OutlinesDocument = z.output<typeof outlinesDocumentSchema>;

/** `/api/runs/ID/notes`: the note of a run. */
export const runNoteDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-note@1"),
  id,
  note: z.string().nullable(),
  /** Identity of the stored notes; a change must name the one that it replaces. */
  revision: z.string(),
  /** Why it cannot be changed; null if it can. */
  locked: z.string().nullable(),
});
export type RunNoteDocument = z.output<typeof runNoteDocumentSchema>;

/** `/api/runs/ID`: one run. */
export const servedRunDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-run@1"),
  ...servedRunSchema.omit({ differs: true }).shape,
  /** Complete configuration by dotted path. */
  config: z.record(z.string(), value).nullable(),
  /** Differences to the preset. */
  changes: z.array(z.strictObject({ path: z.string(), before: value, after: value })),
  environment: environmentPinSchema.nullable(),
  /** How its steps are computed, in words. */
  stepMethod: z.string().nullable(),
  corpus: z.strictObject({ tokens: count, distinct: count, dead: count, sha256: z.string() }).nullable(),
  checkpoints: z.array(count),
  alerts: z.array(z.strictObject({ step: count, message: z.string() })),
  result: trainResultSchema.nullable(),
  /** The command that resumes or analyses it. */
  next: z.string().nullable(),
  files: z.array(z.strictObject({ name: z.string(), bytes: count })),
  figures: z.array(z.string()),
  /** Of engine portable: the number of recorded steps that a browser can train again, and why it cannot. */
  retraining: z.strictObject({ steps: count, obstacle: z.string().nullable() }).optional(),
});
export type ServedRunDocument = z.output<typeof servedRunDocumentSchema>;

const seriesSchema = z.strictObject({
  name: z.string(),
  x: z.array(z.number()).describe("Training steps"),
  y: z.array(z.number().nullable()),
  /** On request: the exponential mean of all recorded values, at the same steps. */
  smooth: z.array(z.number().nullable()).optional(),
  /** Recorded values are omitted; a request with `step` returns them. */
  isReduced: z.literal(true).optional(),
});
export type Series = z.output<typeof seriesSchema>;

/** Epoch and seconds of training by increasing steps; epochs are null if the run does not record them. */
const clockSchema = z.strictObject({ steps: z.array(count), seconds: z.array(z.number()), epochs: z.array(z.number()).nullable() });
export type Clock = z.output<typeof clockSchema>;

/** `/api/runs/ID/series`: the lines of a run; long ones are reduced, keeping smallest and largest values. */
export const seriesDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-series@1"),
  id,
  step: count,
  planned: count,
  series: z.array(seriesSchema),
  clock: clockSchema.nullable(),
  /** Limits of the numbers. */
  notes: z.array(z.string()),
});
export type SeriesDocument = z.output<typeof seriesDocumentSchema>;

/** `/api/overlay`: one line per run. */
export const overlayDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-overlay@1"),
  name: z.string(),
  lines: z.array(
    z.strictObject({
      ...seriesSchema.omit({ name: true }).shape,
      id,
      clock: clockSchema.nullable().optional().describe("On request, as it requires reading the event log"),
    }),
  ),
});
export type OverlayDocument = z.output<typeof overlayDocumentSchema>;

/** `/api/runs/ID/history`: description of the recorded states. */
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
  /** Text of the token of each row; null if it has none or it is unknown. */
  texts: z.array(z.string().nullable()),
  /** Rows of tokens that are not in the training text. */
  dead: z.array(count),
});
export type HistoryDocument = z.output<typeof historyDocumentSchema>;

/** `/api/runs/ID/basis`: directions of view, fixed for the whole training. */
export const basisDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-basis@1"),
  mean: z.array(z.number()),
  components: count,
  /** Row by row, `components` × dims. */
  directions: z.array(z.number()),
  /** Largest distance from the mean along each. */
  reach: z.array(z.number()),
  /** Share of the variance along each. */
  explained: z.array(z.number()).optional(),
});
export type BasisDocument = z.output<typeof basisDocumentSchema>;

/** `/api/runs/ID/path`: positions of a row at states evenly spread over the training. */
export const rowPathDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-path@1"),
  row: count,
  states: z.array(count),
  /** Coordinates in the run's basis. */
  places: z.array(z.array(z.number())),
});
export type RowPathDocument = z.output<typeof rowPathDocumentSchema>;

/** `/api/runs/ID/tokens`: the black hole of every token over the steps, in at most 256 rows. */
export const tokensDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-tokens@1"),
  id,
  /** The first and the last step. */
  first: count,
  last: count,
  /** Every `every`-th snapshot is followed. */
  every: count,
  tokens: count,
  /** Rows of the history from top to bottom. */
  order: z.array(count),
  /** Place in `order` of the first token of each row of the picture, and their number. */
  starts: z.array(count),
  /** Maximum number of tokens in a row of the picture, and whether only tokens with equal lives share one. */
  held: count,
  areEqual: z.boolean(),
  /** Number of black holes, and the largest populations of the largest ones. */
  holes: z.strictObject({ count, largest: z.array(count) }),
  /** Spans of the rows of the picture: first step, last recorded step, and number of the black hole by size, 0 for alone. */
  spans: z.strictObject({ row: z.array(count), from: z.array(count), to: z.array(count), hole: z.array(count) }),
});
export type TokensDocument = z.output<typeof tokensDocumentSchema>;

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

/** `/api/plans/ID`: an experiment or a sweep with its trials. */
export const planDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-plan@1"),
  ...servedPlanSchema.shape,
  seeds: z.array(z.int()),
  trials: z.array(z.strictObject({ ...sweepTrialSchema.shape, run: id.nullable(), arm: z.string().nullable(), seed: z.int().nullable() })),
  /** Whether the experiment stops when it is decided. */
  isSequential: z.boolean(),
  /** For an experiment with a verdict. */
  judged: experimentDocumentSchema.pick({ measures: true, confounds: true, verdict: true, traps: true }).nullable(),
});
export type PlanDocument = z.output<typeof planDocumentSchema>;

/** `POST /api/archives`: contents of a zip that was dropped on the page. */
export const droppedDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/serve-dropped@1"),
  name: z.string(),
  runs: z.array(id),
  plans: z.array(id),
});
export type DroppedDocument = z.output<typeof droppedDocumentSchema>;

/** A message of the stream of changes: a run or plan is new, changed or gone, or too much was missed. */
export const liveChangeSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("run"), run: servedRunSchema.omit({ differs: true }) }),
  z.strictObject({ kind: z.literal("gone"), id }),
  z.strictObject({ kind: z.literal("plans") }),
  z.strictObject({ kind: z.literal("everything") }),
]);
export type LiveChange = z.output<typeof liveChangeSchema>;

/** What to send of a line. */
export interface LineQuery {
  /** Maximum number of points, about, of a reduced line. */
  readonly points: number;
  readonly from?: number;
  readonly to?: number;
  /** Weight of the exponential mean to add; `auto` adds it to training quantities, over about a hundredth of the line. */
  readonly smooth?: number | "auto";
  /** Send the last recorded value up to this step instead of the line. */
  readonly step?: number;
  /** Send the values recorded at exactly these steps instead of the line. */
  readonly steps?: readonly number[];
}
