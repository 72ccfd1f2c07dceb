import { BhBridgeError } from "../errors.js";
import { count } from "../text/format.js";

/** How a token of the vocabulary is written; null for one that stands for no text. */
export type TokenText = (token: number) => string | null;

/** What is known of the tokens behind the rows of a matrix. */
interface RowTokensOptions {
  /** Tokens of the whole vocabulary. */
  readonly vocabulary: number;
  /** The token of each row, where chosen tokens alone have rows. */
  readonly ids?: readonly number[] | undefined;
  readonly text?: TokenText | undefined;
}

/** Which token each row of a matrix is, and how that token is written. It accompanies the rows, so that results name tokens. */
export class RowTokens {
  /** Tokens of the whole vocabulary: one more than the largest that there can be. */
  readonly vocabulary: number;
  /** The token of each row, where chosen tokens alone have rows; undefined when row i is token i. */
  readonly ids: readonly number[] | undefined;
  /** How tokens are written; undefined when that is not known of this vocabulary. */
  readonly text: TokenText | undefined;
  readonly #rows: ReadonlyMap<number, number> | undefined;

  constructor({ vocabulary, ids, text }: RowTokensOptions) {
    this.vocabulary = vocabulary;
    this.ids = ids;
    this.text = text;
    this.#rows = ids && new Map(ids.map((token, row) => [token, row]));
  }

  /** Row i is token i, with unknown text. */
  static all(rows: number): RowTokens {
    return new RowTokens({ vocabulary: rows });
  }

  /** How many tokens have a row. */
  get count(): number {
    return this.ids?.length ?? this.vocabulary;
  }

  ofRow(row: number): number {
    return this.ids?.[row] ?? row;
  }

  /** The tokens of rows, ascending. */
  ofRows(rows: readonly number[]): number[] {
    return rows.map((row) => this.ofRow(row)).sort((a, b) => a - b);
  }

  /** Whether a token has a row. */
  has(token: number): boolean {
    return this.#rows ? this.#rows.has(token) : token >= 0 && token < this.vocabulary;
  }

  /** The rows of tokens. @throws {BhBridgeError} `USAGE` for a token that has none. */
  rowsOf(tokens: readonly number[]): number[] {
    return tokens.map((token) => (this.#rows ? (this.#rows.get(token) ?? this.#notRecorded(token)) : token));
  }

  #notRecorded(token: number): never {
    throw new BhBridgeError("USAGE", `the row of token ${token} was not recorded in this run: record.rows chose ${count(this.count, "row")}`);
  }
}
