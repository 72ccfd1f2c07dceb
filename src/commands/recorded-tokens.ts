import { BhBridgeError } from "../errors.js";
import type { OpenEmbedding } from "../formats/open-embedding.js";
import { count } from "../text/count.js";

/** How the rows of a matrix and the tokens of the vocabulary stand to each other: the same, unless a run recorded chosen rows alone. */
export interface RecordedTokens {
  /** One more than the largest token there can be. */
  readonly vocabulary: number;
  /** The rows of tokens. @throws {BhBridgeError} `USAGE` for a token whose row was not recorded. */
  toRows(tokens: readonly number[]): readonly number[];
  /** The tokens of rows. */
  ofRows(rows: readonly number[]): number[];
}

/** Which token each row of an opened matrix belongs to. */
export function recordedTokens({ recorded, shape }: Pick<OpenEmbedding, "recorded" | "shape">): RecordedTokens {
  if (!recorded) return { vocabulary: shape[0], toRows: (tokens) => tokens, ofRows: (rows) => [...rows] };
  const { vocabulary, tokens } = recorded;
  const rowOf = new Map(tokens.map((token, row) => [token, row]));
  return {
    vocabulary,
    toRows: (wanted) => wanted.map((token) => rowOf.get(token) ?? notRecorded(token, tokens)),
    ofRows: (rows) => rows.map((row) => tokens[row] ?? row),
  };
}

function notRecorded(token: number, tokens: readonly number[]): never {
  throw new BhBridgeError("USAGE", `the row of token ${token} was not recorded in this run: record.rows chose ${count(tokens.length, "row")}`);
}
