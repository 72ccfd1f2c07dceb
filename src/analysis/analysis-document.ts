import { z } from "zod";
import { dtypes } from "../formats/matrix.js";
import { censusShape } from "./census-shape.js";
import { degeneracies } from "./degeneracy.js";

const count = z.int().nonnegative();
/** JSON has no NaN and no infinity: both are null, and `notes` say where they come from. */
const figure = z.number().nullable();
const counts = z.array(count).readonly();
const figures = z.array(figure).readonly();
const steps = z.array(z.int().positive().nullable()).readonly();

const timelineSchema = z
  .strictObject({
    unique: counts,
    C: counts,
    P: counts,
    largest: counts,
    fissions: counts,
    splits: counts,
    merges: counts,
    joins: counts,
    escapes: counts,
    captures: counts,
    nanEscapes: counts.optional(),
    firstStateWithTwoHoles: count.nullable(),
  })
  .describe(
    "Black holes: unique, C, P and largest have an entry a state; fissions to captures an entry a step, entry i being step i + 1. nanEscapes: those of the escapes whose row became NaN, where there are any",
  );

const censusSchema = z
  .strictObject({ ...censusShape, members: censusShape.members.optional() })
  .describe("The black holes of the last state, by descending population");

const statisticsSchema = z
  .strictObject({
    n: count,
    sum: count,
    mean: figure,
    median: figure,
    gini: figure,
    herfindahl: figure,
    topShare: z.strictObject({ "1": figure, "2": figure, "3": figure, "5": figure, "10": figure }),
  })
  .describe("Over the populations of the last state's black holes; nulls when there is none");

const normsSchema = z.strictObject({
  meanL1: figures,
  maxL1: figures,
  meanL2: figures,
  maxL2: figures,
  meanLinf: figures,
  maxLinf: figures,
});

const motionSchema = z
  .strictObject({
    weight: normsSchema,
    lattice: normsSchema.optional(),
    lastMotionStep: steps.optional(),
    stillFraction: z.array(z.number()).readonly(),
    frozenFraction: z.array(z.number()).readonly(),
    bulk: figures,
    thermal: figures,
    participation: figures,
  })
  .describe("An entry a step, entry i being step i + 1; lastMotionStep has an entry a token");

const lifecycleSchema = z
  .strictObject({
    earlyEnd: steps.optional(),
    midlifeEnd: steps.optional(),
    lateEnd: steps.optional(),
    frozenFrom: steps.optional(),
    counts: z.strictObject({ early: counts, midlife: counts, late: counts, frozen: counts }),
  })
  .describe("Phases of motion on the lattice: ends per token, counts per step");

const graphSchema = z.strictObject({
  k: count,
  nodes: count,
  edges: count,
  components: count,
  componentSizes: counts,
  largestComponent: count,
  isolated: count,
  density: z.number(),
  degrees: counts.optional(),
  nearest: z.array(count.nullable()).readonly().optional(),
  firstTokens: counts.optional(),
});

const topologySchema = z
  .strictObject({ initial: graphSchema.optional(), final: graphSchema.optional() })
  .describe("Unique rows as nodes, neighbours on the lattice as edges");

const spreadSchema = z.strictObject({
  variances: z.array(z.number()).readonly().nullable(),
  explained: z.array(z.number()).readonly().nullable(),
  participationRatio: figure,
});

const geometrySchema = z
  .strictObject({
    centroidNorm: figures,
    maxRadius: figures,
    meanRadius: figures,
    rmsRadius: figures,
    displacement: z.strictObject({ float64: figure, float32: figure, bfloat16: figure }),
    pathLength: figure,
    initialSpread: spreadSchema.optional(),
    finalSpread: spreadSchema.optional(),
    pathSpread: spreadSchema.optional(),
  })
  .describe("Centroid and radii an entry a state; spreads are principal components");

/** What `analyze` finds out about a history: `bh-bridge/analysis@1`, also written into a run as `analysis.json`. */
export const analysisDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/analysis@1"),
  source: z.string(),
  states: count.describe("States that have been recorded; state 0 is before training, step t leads to state t"),
  tokens: count,
  dims: count,
  dtype: z.enum(dtypes),
  steps: counts.optional().describe("The training step of each state, where state i is not step i"),
  tokenIds: counts
    .optional()
    .describe("The token of each row, where chosen tokens alone were recorded: entry i of every per-token array is of the token tokenIds[i]"),
  degenerate: z.array(z.enum(degeneracies)).readonly().describe("Why the history cannot be scored; empty when it is sound"),
  nonfiniteTokens: counts.optional().describe("Tokens with NaN or infinity in some state"),
  finalCensus: censusSchema,
  timeline: timelineSchema.optional(),
  statistics: statisticsSchema.optional(),
  motion: motionSchema.optional(),
  lifecycle: lifecycleSchema.optional(),
  topology: topologySchema.optional(),
  geometry: geometrySchema.optional(),
  notes: z.array(z.string()).readonly().describe("What was left out, and why"),
});

export type AnalysisDocument = z.output<typeof analysisDocumentSchema>;
