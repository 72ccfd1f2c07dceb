import { z } from "zod";
import { runConfigSchema } from "../../config/run-config-schema.js";

const summaryShape = { name: z.string(), title: z.string(), summary: z.string(), source: z.string() };

/** The document of `presets --json`. */
export const presetsDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/presets@1"),
  default: z.string(),
  presets: z.array(z.strictObject(summaryShape)),
  /** What `experiment` runs by name. */
  experiments: z.array(z.strictObject({ name: z.string(), title: z.string(), asks: z.string(), confound: z.string(), source: z.string() })),
});

export type PresetsDocument = z.output<typeof presetsDocumentSchema>;

/** The document of `presets show NAME --json`. */
export const presetDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/preset@1"),
  ...summaryShape,
  hash: z.string(),
  /** What the preset changes of the defaults. */
  changes: z.array(z.strictObject({ path: z.string(), before: z.json().optional(), after: z.json().optional(), typeChanged: z.boolean() })),
  config: runConfigSchema,
});

export type PresetDocument = z.output<typeof presetDocumentSchema>;
