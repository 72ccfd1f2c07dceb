import { z } from "zod";
import { trialStatuses } from "../../sweep/ledger.js";

/** The document of `sweep logs --json`. */
export const sweepLogsDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/sweep-logs@1"),
  trial: z.string(),
  status: z.enum(trialStatuses),
  /** Absolute path of its run; null where it has none. */
  run: z.string().nullable(),
  /** Why it failed, was pruned or was lost. */
  reason: z.string().nullable(),
  /** What its Python and the libraries printed last. */
  lines: z.array(z.string()),
});
export type SweepLogsDocument = z.output<typeof sweepLogsDocumentSchema>;

/** The document of `sweep export --json`. */
export const sweepExportDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/sweep-export@1"),
  directory: z.string(),
  /** Absolute path of the file; null where the table was not written into one. */
  output: z.string().nullable(),
  /** Rows of the table. */
  trials: z.int().nonnegative(),
  /** The table, unless it was written into a file: a row for each trial, each value by the name of its column. */
  rows: z.array(z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]).nullable())).optional(),
});
export type SweepExportDocument = z.output<typeof sweepExportDocumentSchema>;

/** The document of `sweep cancel --json`. */
export const sweepCancelDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/sweep-cancel@1"),
  directory: z.string(),
  /** The process that was asked to stop; null where jobs of a cluster alone were. */
  pid: z.int().positive().nullable(),
  /** SLURM's jobs that were cancelled. */
  jobs: z.array(z.string()).optional(),
});
export type SweepCancelDocument = z.output<typeof sweepCancelDocumentSchema>;
