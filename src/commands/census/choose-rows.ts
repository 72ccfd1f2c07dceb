import { readFileSync } from "node:fs";
import { BhBridgeError } from "../../errors.js";
import { deadTokensOf } from "./dead-tokens.js";
import { parseRows } from "./parse-rows.js";

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
  if (rows === "dead") return deadTokensOf(path, corpus, count);
  return rows.startsWith("@") ? parseRows(readList(rows.slice(1)), rows.slice(1), count) : parseRows(rows, "--rows", count);
}

function readList(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new BhBridgeError("FILE_UNREADABLE", `${path}, which --rows names, cannot be read`, { cause });
  }
}
