import { z } from "zod";
import { auditSchema } from "../compare/audit/audit.js";
import { comparisonSchema } from "../compare/compare.js";
import { reproductionSchema } from "../compare/reproduce.js";
import { rerecordingSchema } from "../compare/rerecord.js";
import { exportedSchema } from "../runner/exported.js";
import { generationSchema } from "../runner/generate-text.js";
import { simulationSchema } from "../runner/simulate.js";
import { untrainedTokensSchema } from "../runner/untrained-tokens.js";
import { corpusFactsSchema } from "../runs/run-manifest.js";

// The JSON documents whose schemas are those of a result. Commands import only their types, so that help does not load what computes the results.

/** The document of `train --dry-run --json`. */
export const corpusDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/corpus@1"), ...corpusFactsSchema.shape, documents: z.int() });
export type CorpusDocument = z.output<typeof corpusDocumentSchema>;

/** The document of `compare --json`. */
export const compareDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/compare@1"), ...comparisonSchema.shape });
export type CompareDocument = z.output<typeof compareDocumentSchema>;

/** The document of `audit --json`. */
export const auditDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/audit@1"), ...auditSchema.shape });
export type AuditDocument = z.output<typeof auditDocumentSchema>;

/** The document of `reproduce --json`. */
export const reproduceDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/reproduce@1"), ...reproductionSchema.shape });
export type ReproduceDocument = z.output<typeof reproduceDocumentSchema>;

/** The document of `rerecord --json`. */
export const rerecordDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/rerecord@1"), ...rerecordingSchema.shape });
export type RerecordDocument = z.output<typeof rerecordDocumentSchema>;

/** The document of `simulate --json`. */
export const simulateDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/simulate@1"), ...simulationSchema.shape });
export type SimulateDocument = z.output<typeof simulateDocumentSchema>;

/** The document of `export --json`. */
export const exportDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/export@1"),
  ...exportedSchema.shape,
  /** The command that would upload a model. */
  upload: z.string().optional(),
});
export type ExportDocument = z.output<typeof exportDocumentSchema>;

/** The document of `tokens --json`. */
export const tokensDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/tokens@1"), ...untrainedTokensSchema.shape });
export type TokensDocument = z.output<typeof tokensDocumentSchema>;

/** The document of `generate --json`. */
export const generateDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/generate@1"), ...generationSchema.shape });
export type GenerateDocument = z.output<typeof generateDocumentSchema>;
