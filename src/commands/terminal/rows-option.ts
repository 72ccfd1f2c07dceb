import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readCorpus } from "../../bridge/corpus.js";
import { preparedText } from "../../bridge/prepared-text.js";
import { readTokenArray } from "../../bridge/token-array.js";
import { readTokenizedCorpus } from "../../bridge/tokenized-corpus.js";
import { defaultField } from "../../config/data-schema.js";
import { BhBridgeError } from "../../errors.js";
import { isTokenArray } from "../../formats/text/text-files.js";
import { runFiles } from "../../runs/run-layout.js";
import { readRunManifest } from "../../runs/run-manifest.js";

export interface RowsOptions {
  readonly rows: string; // `all`, `dead`, a list as `1,5,9-20`, or `@FILE` with such a list
  readonly corpus?: string | undefined;
}

/**
 * The row numbers of `--rows`, ascending; undefined for all.
 * @param count rows of the matrix, one per token.
 * @throws {BhBridgeError} `USAGE` for an invalid list, and for `dead` without a corpus; `CORPUS_INVALID`, `FILE_UNREADABLE`.
 */
export async function chooseRows(options: RowsOptions, path: string, count: number): Promise<number[] | undefined> {
  const { rows, corpus } = options;
  if (corpus !== undefined && rows !== "dead") throw new BhBridgeError("USAGE", "--corpus requires --rows dead, whose tokens are those that the corpus lacks");
  if (rows === "all") return undefined;
  if (rows !== "dead") return listedRows(rows, "--rows", count);
  if (corpus === undefined && !statSync(path).isDirectory()) {
    throw new BhBridgeError("USAGE", `--rows dead needs the corpus of the model, and ${path} is not a run: name the training text with --corpus FILE`);
  }
  return deadTokensOf(path, corpus, count);
}

/** The rows of an option with a list as `1,5,9-20`, or `@FILE` with such a list, ascending. @throws {BhBridgeError} `USAGE`, `FILE_UNREADABLE`. */
export function listedRows(text: string, option: string, count: number): number[] {
  return text.startsWith("@") ? parseRows(readList(text.slice(1), option), text.slice(1), count) : parseRows(text, option, count);
}

function readList(path: string, option: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new BhBridgeError("FILE_UNREADABLE", `${path}, the file of ${option}, cannot be read`, { cause });
  }
}

const item = /^(?<first>[0-9]+)(?:-(?<last>[0-9]+))?$/;

/** Row numbers from a list as `1,5,9-20` (separated by commas or white space), ascending and distinct; `source` is named in errors. */
function parseRows(list: string, source: string, rows: number): number[] {
  const items = list.split(/[\s,]+/).filter((text) => text !== "");
  if (items.length === 0) throw new BhBridgeError("USAGE", `${source} names no row: write a list such as 1,5,9-20`);
  const chosen = new Set<number>();
  for (const text of items) {
    const groups = item.exec(text)?.groups;
    if (!groups) throw new BhBridgeError("USAGE", `${source}: "${text}" is neither a row nor a range of rows: write a list such as 1,5,9-20`);
    const first = Number(groups["first"]);
    const last = Number(groups["last"] ?? groups["first"]);
    if (last < first) throw new BhBridgeError("USAGE", `${source}: the range ${text} runs backwards`);
    if (last >= rows) throw new BhBridgeError("USAGE", `${source}: there is no row ${last}, only 0 to ${rows - 1}`);
    for (let row = first; row <= last; row++) chosen.add(row);
  }
  return [...chosen].sort((a, b) => a - b);
}

/**
 * The tokens that the corpus lacks, counted in a corpus or read from the run.
 * @param vocabulary rows of the embedding, one per token: bytes, or tokens of the run's tokenizer.
 * @throws {BhBridgeError} `CORPUS_INVALID`; as `readRunManifest`; for a run with a tokenizer as `readTokenizedCorpus`.
 */
export async function deadTokensOf(run: string, corpus: string | undefined, vocabulary: number): Promise<number[]> {
  if (corpus === undefined) return readRunManifest(run).corpus.deadTokens.filter((token) => token < vocabulary);
  const tokenizer = join(run, runFiles.tokenizer);
  const path = await preparedText(corpus, defaultField);
  const text = { path, name: corpus, vocabulary, windowLength: 0, heldOut: 0, python: undefined };
  if (isTokenArray(path)) return (await readTokenArray({ ...text, tokenizer: null })).deadTokens;
  const facts = existsSync(tokenizer)
    ? await readTokenizedCorpus({ ...text, tokenizer })
    : await readCorpus(path, vocabulary, 0, 0, path === corpus ? {} : { prepared: { from: corpus, field: defaultField } });
  return facts.deadTokens;
}
