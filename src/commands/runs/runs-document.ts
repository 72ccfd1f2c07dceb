import { z } from "zod";
import { runRowSchema } from "../../runner/run-row.js";
import { trainResultSchema } from "../../runner/train-result.js";
import { runManifestSchema } from "../../runs/run-manifest.js";
import { runNotesSchema } from "../../runs/run-notes.js";

/** The document of `runs --json`. */
export const runsDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/runs@1"),
  /** Path of the run that tables compare the others with. */
  baseline: z.string().nullable(),
  runs: z.array(runRowSchema),
});
export type RunsDocument = z.output<typeof runsDocumentSchema>;

/** The document of `runs show --json`. */
export const runDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/run@1"),
  ...runRowSchema.shape,
  /** `run.json`; null for a corrupt run. */
  manifest: runManifestSchema.nullable(),
  /** `config.json`. */
  config: z.record(z.string(), z.json()).nullable(),
  /** Every time that the run was trained again. */
  reproductions: runNotesSchema.shape.reproductions,
  /** Steps that the run can be resumed from. */
  checkpoints: z.array(z.int()),
  /** What came out so far, once something is recorded. */
  result: trainResultSchema.nullable(),
});
export type RunDocument = z.output<typeof runDocumentSchema>;

/** The document of `runs verify --json`. */
export const verifyDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/verify@1"),
  run: z.string(),
  ok: z.boolean(),
  problems: z.array(z.string()),
  /** Files that no checksum covers, or not in all their bytes: damage there is not noticed. */
  uncovered: z.array(z.strictObject({ file: z.string(), reason: z.string() })),
});
export type VerifyDocument = z.output<typeof verifyDocumentSchema>;

/** The document of `runs rm --json`. */
export const runsRemovedDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/runs-removed@1"), removed: z.array(z.string()) });
export type RunsRemovedDocument = z.output<typeof runsRemovedDocumentSchema>;

/** The document of `runs note --json` and `runs tag --json`. */
export const runNotesDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/run-notes@1"), run: z.string(), ...runNotesSchema.shape });
export type RunNotesDocument = z.output<typeof runNotesDocumentSchema>;
