import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RunConfig } from "../config/run-config-schema.js";
import { RowTokens } from "../formats/row-tokens.js";
import { readRunConfig } from "./run-config.js";
import { runFiles } from "./run-layout.js";
import { readRunManifest } from "./run-manifest.js";

const asciiTokens = 128;
/** A larger vocabulary is of pieces of words: its tokens are no characters. */
const maxByteVocabulary = 256;

/** The tokens of a run are the bytes of ASCII text. */
function asciiText(token: number): string | null {
  return token < asciiTokens ? String.fromCharCode(token) : null;
}

/**
 * The tokens whose rows a run recorded, as the configuration in its directory says; nothing when that is of something else.
 *
 * @param rows how many there are: all tokens of the vocabulary, unless the run chose some.
 * @param own the tokens that the history's own file names.
 * @throws {BhBridgeError} `RUN_CORRUPT` when a file of the run is damaged: which tokens the rows are is not guessed.
 */
export function recordedTokens(directory: string, rows: number, own?: readonly number[]): RowTokens | undefined {
  const config = configBeside(directory);
  if (!config) return undefined;
  const { model, record } = config;
  const text = model.vocab_size <= maxByteVocabulary ? asciiText : undefined;
  if (own) return new RowTokens({ vocabulary: model.vocab_size, ids: own, text });
  if (record.rows === "all") return new RowTokens({ vocabulary: rows, text });
  const ids = record.rows === "dead" ? deadTokens(directory) : record.rows;
  return ids && new RowTokens({ vocabulary: model.vocab_size, ids, text });
}

/** A history that was taken out of its run may lie beside the configuration of something else. */
function configBeside(directory: string): RunConfig | undefined {
  try {
    return readRunConfig(directory);
  } catch (error) {
    if (isRun(directory)) throw error;
    return undefined;
  }
}

function deadTokens(directory: string): readonly number[] | undefined {
  return isRun(directory) ? readRunManifest(directory).corpus.deadTokens : undefined;
}

function isRun(directory: string): boolean {
  return existsSync(join(directory, runFiles.manifest));
}
