import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { containedFile } from "../formats/contained-file.js";
import { readPythonJson } from "../formats/python-json.js";
import { RowTokens } from "../formats/row-tokens.js";
import { runFiles } from "./run-layout.js";

const configSchema = z.looseObject({
  model: z.looseObject({ vocab_size: z.int() }),
  record: z.looseObject({ rows: z.union([z.literal(["all", "dead"]), z.array(z.int())]) }),
});
const runSchema = z.looseObject({ corpus: z.looseObject({ deadTokens: z.array(z.int()) }) });

const asciiTokens = 128;
/** A larger vocabulary is of pieces of words: its tokens are no characters. */
const maxByteVocabulary = 256;

/** The tokens of a run are the bytes of ASCII text. */
function asciiText(token: number): string | null {
  return token < asciiTokens ? String.fromCharCode(token) : null;
}

/**
 * The tokens whose rows a run recorded, as its own files say; nothing when they do not.
 *
 * @param rows how many there are: all tokens of the vocabulary, unless the run chose some.
 * @throws {BhBridgeError} `FORMAT_INVALID`, `FILE_UNREADABLE`.
 */
export function recordedTokens(directory: string, rows: number): RowTokens | undefined {
  if (!existsSync(join(directory, runFiles.config))) return undefined;
  const config = configSchema.safeParse(readPythonJson(containedFile(directory, runFiles.config)));
  if (!config.success) return undefined;
  const { model, record } = config.data;
  const text = model.vocab_size <= maxByteVocabulary ? asciiText : undefined;
  if (record.rows === "all") return new RowTokens({ vocabulary: rows, text });
  const ids = record.rows === "dead" ? deadTokens(directory) : record.rows;
  return ids && new RowTokens({ vocabulary: model.vocab_size, ids, text });
}

function deadTokens(directory: string): readonly number[] | undefined {
  if (!existsSync(join(directory, runFiles.manifest))) return undefined;
  const run = runSchema.safeParse(readPythonJson(containedFile(directory, runFiles.manifest)));
  return run.success ? run.data.corpus.deadTokens : undefined;
}
