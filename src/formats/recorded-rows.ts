import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { containedFile } from "./contained-file.js";
import { readPythonJson } from "./python-json.js";

/** Which tokens a run recorded. */
export interface RecordedRows {
  /** Tokens of the whole vocabulary. */
  readonly vocabulary: number;
  /** The token of each recorded row. */
  readonly tokens: readonly number[];
}

const configFile = "config.json";
const runFile = "run.json";
const configSchema = z.looseObject({
  model: z.looseObject({ vocab_size: z.int() }),
  record: z.looseObject({ rows: z.union([z.literal(["all", "dead"]), z.array(z.int())]) }),
});
const runSchema = z.looseObject({ corpus: z.looseObject({ deadTokens: z.array(z.int()) }) });

/**
 * The rows that a run chose to record; nothing when it recorded all, or when the directory does not say.
 *
 * @throws {BhBridgeError} `FORMAT_INVALID`, `FILE_UNREADABLE`.
 */
export function recordedRows(directory: string): RecordedRows | undefined {
  if (!existsSync(join(directory, configFile))) return undefined;
  const config = configSchema.safeParse(readPythonJson(containedFile(directory, configFile)));
  if (!config.success || config.data.record.rows === "all") return undefined;
  const { rows } = config.data.record;
  const tokens = rows === "dead" ? deadTokens(directory) : rows;
  return tokens && { vocabulary: config.data.model.vocab_size, tokens };
}

function deadTokens(directory: string): readonly number[] | undefined {
  if (!existsSync(join(directory, runFile))) return undefined;
  const run = runSchema.safeParse(readPythonJson(containedFile(directory, runFile)));
  return run.success ? run.data.corpus.deadTokens : undefined;
}
