import { z } from "zod";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { runConfigSchema } from "../../config/run-config-schema.js";

const value = z.json();

/** What would run: the document of `config print --json` and `train --print-config --json`. */
export const configDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/config@1"),
  preset: z.string(),
  hash: z.string(),
  config: runConfigSchema,
  /** Source of every value by dotted path. */
  sources: z.record(z.string(), z.string()),
  /** What differs from the preset; a side that has no value is left out. */
  changes: z.array(z.strictObject({ path: z.string(), before: value.optional(), after: value.optional(), typeChanged: z.boolean(), source: z.string() })),
});

export type ConfigDocument = z.output<typeof configDocumentSchema>;

/** The document of a resolved configuration. */
export function configDocument({ preset, hash, config, sources, changes }: ResolvedConfig): ConfigDocument {
  return { schema: "bh-bridge/config@1", preset, hash, config, sources: Object.fromEntries(sources), changes };
}

/** A configuration that is right: the document of `config check --json`. A wrong one gives `bh-bridge/error@1`. */
export const configCheckDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/config-check@1"),
  ok: z.literal(true),
  preset: z.string(),
  hash: z.string(),
  changes: z.int(),
});

export type ConfigCheckDocument = z.output<typeof configCheckDocumentSchema>;

/** The document of `config schema --json`. */
export const configSchemaDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/config-schema@1"), jsonSchema: z.record(z.string(), z.unknown()) });

export type ConfigSchemaDocument = z.output<typeof configSchemaDocumentSchema>;

/** The fields in which two configurations differ: the document of `config diff --json`. */
export const configDiffDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/config-diff@1"),
  before: z.strictObject({ source: z.string(), hash: z.string() }),
  after: z.strictObject({ source: z.string(), hash: z.string() }),
  differences: z.array(z.strictObject({ path: z.string(), before: value.optional(), after: value.optional(), typeChanged: z.boolean() })),
});

export type ConfigDiffDocument = z.output<typeof configDiffDocumentSchema>;
