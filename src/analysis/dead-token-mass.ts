import { BhBridgeError } from "../errors.js";
import type { Matrix } from "../formats/matrix.js";
import { requireMatrix } from "../formats/require-matrix.js";
import { count } from "../text/count.js";
import { forEachRow } from "./for-each-row.js";
import { selectRows } from "./select-rows.js";

/** Σ softmax(logits)ᵢ over the dead tokens; the largest logit is taken off first, so that no exponential overflows. */
function massOfRow(logits: Float64Array, dead: Int32Array): number {
  const largest = logits.reduce((max, logit) => Math.max(max, logit), Number.NEGATIVE_INFINITY);
  let all = 0;
  for (const logit of logits) all += Math.exp(logit - largest);
  let mass = 0;
  for (const token of dead) mass += Math.exp((logits[token] ?? 0) - largest);
  return mass / all;
}

/**
 * The probability that a model gives to dead tokens, at each position.
 *
 * @param logits `[positions, vocabulary]` of any dtype, taken as float64.
 * @param deadTokens token ids.
 * @returns one probability a position; NaN where a logit is NaN.
 * @throws {BhBridgeError} `USAGE` for a token outside the vocabulary.
 */
export function deadTokenMass(logits: Matrix, deadTokens: readonly number[]): Float64Array {
  requireMatrix(logits, "logits");
  const dead = selectRows(logits.columns, deadTokens);
  const masses = new Float64Array(logits.rows);
  forEachRow(logits, (values, row) => {
    masses[row] = massOfRow(values, dead);
  });
  return masses;
}

/**
 * The same from final hidden states and the tied embedding: logits = hidden · embeddingᵀ, in float64.
 *
 * @param hidden `[positions, dims]`, after the last norm.
 * @param embedding `[vocabulary, dims]`.
 * @throws {BhBridgeError} `FORMAT_INVALID` when the dimensions differ; `FORMAT_UNSUPPORTED` for the rows of chosen tokens alone, since a probability
 *   takes the logits of all; `USAGE` for a token outside the vocabulary.
 */
export function deadTokenMassOfHidden(hidden: Matrix, embedding: Matrix, deadTokens: readonly number[]): Float64Array {
  requireMatrix(hidden, "hidden");
  requireMatrix(embedding, "embedding");
  if (hidden.columns !== embedding.columns) {
    throw new BhBridgeError("FORMAT_INVALID", `hidden states have ${hidden.columns} dimensions, the embedding has ${embedding.columns}`);
  }
  const { ids, vocabulary } = embedding.rowTokens;
  if (ids)
    throw new BhBridgeError(
      "FORMAT_UNSUPPORTED",
      `the embedding has the rows of ${count(ids.length, "chosen token")} of ${vocabulary}: a probability takes all`,
    );
  const dead = selectRows(embedding.rows, deadTokens);
  const weights = embedding.toFloat64();
  const logits = new Float64Array(embedding.rows);
  const masses = new Float64Array(hidden.rows);
  forEachRow(hidden, (state, row) => {
    for (let token = 0, index = 0; token < logits.length; token++) {
      let logit = 0;
      for (let dim = 0; dim < state.length; dim++, index++) logit += (state[dim] ?? 0) * (weights[index] ?? 0);
      logits[token] = logit;
    }
    masses[row] = massOfRow(logits, dead);
  });
  return masses;
}
