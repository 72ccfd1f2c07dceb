import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readCorpus } from "../../bridge/corpus.js";
import { readTokenizedCorpus } from "../../bridge/tokenized-corpus.js";
import { BhBridgeError } from "../../errors.js";
import { runFiles } from "../../runs/run-layout.js";
import { readRunManifest } from "../../runs/run-manifest.js";

/** Which rows a census looks at, as the command line says it. */
export interface RowsOptions {
  /** `all`, `dead`, a list as `1,5,9-20`, or `@FILE` with such a list. */
  readonly rows: string;
  /** The corpus that tells dead tokens from live ones, where the file is no run. */
  readonly corpus?: string | undefined;
}

/**
 * The row numbers that `--rows` means, ascending; nothing when it means all.
 *
 * @param count rows of the matrix, one a token.
 * @throws {BhBridgeError} `USAGE` for a list that is wrong, and for `dead` where nothing tells which tokens are; `CORPUS_INVALID`,
 *   `FILE_UNREADABLE`.
 */
export async function chooseRows(options: RowsOptions, path: string, count: number): Promise<number[] | undefined> {
  const { rows, corpus } = options;
  if (corpus !== undefined && rows !== "dead") throw new BhBridgeError("USAGE", "--corpus goes with --rows dead: it tells which tokens are dead");
  if (rows === "all") return undefined;
  if (rows === "dead") return deadRows(path, corpus, count);
  return rows.startsWith("@") ? parseRows(readList(rows.slice(1)), rows.slice(1), count) : parseRows(rows, "--rows", count);
}

async function deadRows(path: string, corpus: string | undefined, count: number): Promise<number[]> {
  if (corpus === undefined && !statSync(path).isDirectory()) {
    throw new BhBridgeError(
      "USAGE",
      `--rows dead needs to know the corpus, and ${path} is not a run: name the text that the model was trained on with --corpus FILE`,
    );
  }
  return deadTokensOf(path, corpus, count);
}

function readList(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new BhBridgeError("FILE_UNREADABLE", `${path}, which --rows names, cannot be read`, { cause });
  }
}

const item = /^(?<first>[0-9]+)(?:-(?<last>[0-9]+))?$/;

/** Row numbers from a list as `1,5,9-20` (commas, white space or both between the items), ascending and distinct; `source` is where the list was given. */
function parseRows(list: string, source: string, rows: number): number[] {
  const items = list.split(/[\s,]+/).filter((text) => text !== "");
  if (items.length === 0) throw new BhBridgeError("USAGE", `${source} names no row; write them as 1,5,9-20`);
  const chosen = new Set<number>();
  for (const text of items) {
    const groups = item.exec(text)?.groups;
    if (!groups) throw new BhBridgeError("USAGE", `${source}: "${text}" is neither a row nor a range of rows; write them as 1,5,9-20`);
    const first = Number(groups["first"]);
    const last = Number(groups["last"] ?? groups["first"]);
    if (last < first) throw new BhBridgeError("USAGE", `${source}: the range ${text} runs backwards`);
    if (last >= rows) throw new BhBridgeError("USAGE", `${source}: there is no row ${last}; the rows are 0 to ${rows - 1}`);
    for (let row = first; row <= last; row++) chosen.add(row);
  }
  return [...chosen].sort((a, b) => a - b);
}

/**
 * The tokens that never appear in the corpus: counted in the corpus that is given, or as the run recorded them.
 *
 * @param vocabulary rows of the embedding, one a token; tokens are bytes, or those of the run's tokenizer.
 * @throws {BhBridgeError} `CORPUS_INVALID`; what reading `run.json` throws; for a run with a tokenizer as `readTokenizedCorpus`.
 */
export async function deadTokensOf(run: string, corpus: string | undefined, vocabulary: number): Promise<number[]> {
  if (corpus === undefined) return readRunManifest(run).corpus.deadTokens.filter((token) => token < vocabulary);
  const tokenizer = join(run, runFiles.tokenizer);
  const facts = existsSync(tokenizer)
    ? await readTokenizedCorpus({ path: corpus, tokenizer, vocabulary, windowLength: 0, heldOut: 0, python: undefined })
    : await readCorpus(corpus, vocabulary, 0, 0);
  return facts.deadTokens; // tokens are counted, not windows: none is needed
}
