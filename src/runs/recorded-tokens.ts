import { existsSync } from "node:fs";
import { join } from "node:path";
import { hasTokenizer } from "../config/data-schema.js";
import { corpusFiles } from "../config/paths-in-config.js";
import { byteText, matchingTokens, mostByteTokens, type RecordRows } from "../config/record-schema.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { RowTokens, type TokenText } from "../formats/row-tokens.js";
import { isTokenArray } from "../formats/text/text-files.js";
import { tokenizerText } from "../formats/tokenizer-text.js";
import { requireRegular } from "./file-types.js";
import { readRunConfig } from "./run-config.js";
import { runFiles } from "./run-layout.js";
import { readRunManifest } from "./run-manifest.js";

/**
 * The tokens of the recorded rows by the configuration in a directory, undefined if that configuration is not a run's.
 * @param rows number of rows: the vocabulary, unless the run chose some.
 * @param own tokens in the history's own file.
 * @throws {BhBridgeError} `RUN_CORRUPT` if a file of the run is damaged.
 */
export function recordedTokens(directory: string, rows: number, own?: readonly number[]): RowTokens | undefined {
  const config = configBeside(directory);
  if (!config) return undefined;
  const { model, record } = config;
  const text = tokenTextOf(directory, config);
  if (own) return new RowTokens({ vocabulary: model.vocab_size, ids: own, text });
  if (record.rows === "all") return new RowTokens({ vocabulary: rows, text });
  const ids = chosenTokens(record.rows, { vocabulary: model.vocab_size, dead: () => deadTokens(directory), text: hasTokenizer(config) ? text : undefined });
  return ids && new RowTokens({ vocabulary: model.vocab_size, ids, text });
}

interface Vocabulary {
  vocabulary: number;
  dead: () => readonly number[] | undefined;
  /** Text of the tokens by the tokenizer; undefined if they are bytes. */
  text: TokenText | undefined;
}

/** The tokens of `record.rows` in the order of the rows, undefined if they depend on unknown dead tokens. */
export function chosenTokens(rows: RecordRows, { vocabulary, dead, text }: Vocabulary): readonly number[] | undefined {
  if (Array.isArray(rows)) return rows;
  const all = Array.from({ length: vocabulary }, (_, token) => token);
  if (rows === "all") return all;
  if (rows === "dead") return dead();
  if (rows !== "live") return matchingTokens(rows, vocabulary, text);
  const without = dead();
  if (!without) return undefined;
  const left = new Set(without);
  return all.filter((token) => !left.has(token));
}

/** The text of the tokens of a run, by its tokenizer or as bytes. @throws {BhBridgeError} `RUN_CORRUPT` for a damaged tokenizer. */
export function tokenTextOf(directory: string, config: RunConfig): TokenText | undefined {
  if (!hasTokenizer(config))
    return config.model.vocab_size <= mostByteTokens && !corpusFiles(config).some(({ path }) => isTokenArray(path)) ? byteText : undefined;
  const path = join(directory, runFiles.tokenizer);
  requireRegular(path);
  if (!existsSync(path)) return undefined;
  try {
    return tokenizerText(path);
  } catch (cause) {
    throw new BhBridgeError("RUN_CORRUPT", `${path} is damaged: it is no tokenizer`, { cause });
  }
}

/** A history outside its run may have the configuration of another program in its folder. */
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
