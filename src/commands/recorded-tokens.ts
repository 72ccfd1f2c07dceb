import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import type { OpenEmbedding } from "../formats/open-embedding.js";
import { readPythonJson } from "../formats/python-json.js";
import { readRunManifest } from "../runs/run-manifest.js";

/** How the rows of a matrix and the tokens of the vocabulary stand to each other: the same, unless a run recorded chosen rows alone. */
export interface RecordedTokens {
  /** One more than the largest token there can be. */
  readonly vocabulary: number;
  /** The rows of tokens. @throws {BhBridgeError} `USAGE` for a token whose row was not recorded. */
  toRows(tokens: readonly number[]): readonly number[];
  /** The tokens of rows. */
  ofRows(rows: readonly number[]): number[];
}

const recordSchema = z.looseObject({
  model: z.looseObject({ vocab_size: z.int() }),
  record: z.looseObject({ rows: z.union([z.literal(["all", "dead"]), z.array(z.int())]) }),
});

/** Which token each row of an opened matrix belongs to. @throws {BhBridgeError} what reading the run's files throws. */
export function recordedTokens({ kind, state, shape }: Pick<OpenEmbedding, "kind" | "state" | "shape">, path: string): RecordedTokens {
  const recorded = kind === "run" && state !== undefined ? recordedList(path) : undefined;
  if (!recorded) return { vocabulary: shape[0], toRows: (tokens) => tokens, ofRows: (rows) => [...rows] };
  const { vocabulary, tokens } = recorded;
  const rowOf = new Map(tokens.map((token, row) => [token, row]));
  return {
    vocabulary,
    toRows: (wanted) => wanted.map((token) => rowOf.get(token) ?? notRecorded(token, tokens)),
    ofRows: (rows) => rows.map((row) => tokens[row] ?? row),
  };
}

function recordedList(run: string): { vocabulary: number; tokens: readonly number[] } | undefined {
  const checked = recordSchema.safeParse(readPythonJson(join(run, "config.json")));
  if (!checked.success || checked.data.record.rows === "all") return undefined;
  const { rows } = checked.data.record;
  return { vocabulary: checked.data.model.vocab_size, tokens: rows === "dead" ? readRunManifest(run).corpus.deadTokens : rows };
}

function notRecorded(token: number, tokens: readonly number[]): never {
  throw new BhBridgeError("USAGE", `the row of token ${token} was not recorded in this run: record.rows chose ${tokens.length} rows`);
}
