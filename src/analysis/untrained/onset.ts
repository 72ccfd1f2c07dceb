import { z } from "zod";
import { type History, readState } from "../../formats/history.js";
import type { Dtype } from "../../formats/matrix.js";
import { count as countOf, glance, groupDigits } from "../../text/format.js";
import { defineAnalysis, measurableStates } from "../analysis.js";
import { rowClasses, selectRows } from "../census/census.js";
import { rowValues } from "../census/row-values.js";
import { count, counts, steps } from "../document-fields.js";
import { euclideanNorm } from "../geometry/centroid.js";
import { deviationsPerMedian, median } from "../statistics/statistics.js";

/** Largest relative error of rounding to a dtype. */
const roundoff: Readonly<Partial<Record<Dtype, number>>> = { BF16: 2 ** -8, F16: 2 ** -11, F32: 2 ** -24, F64: 2 ** -53 };
/** Deviations of the unused rows' residuals, beyond which a residual is not theirs. */
const allowed = 6 * deviationsPerMedian;
/** Factor over the unused rows' largest residual: Adam moves rows with unlike histories of small gradients unlike. */
const margin = 2;

function meanOf(values: Float64Array, rows: readonly number[], dims: number): Float64Array {
  const mean = new Float64Array(dims);
  for (const row of rows) for (let dim = 0; dim < dims; dim++) mean[dim] = (mean[dim] ?? 0) + (values[row * dims + dim] ?? 0) / rows.length;
  return mean;
}

/** The lengths of what is left of each row's move after the motion that the unused rows share: their mean move, and a decay by a common factor. */
function residuals(before: Float64Array, moves: Float64Array, unused: readonly number[], dims: number): Float64Array {
  const [origin, shared] = [meanOf(before, unused, dims), meanOf(moves, unused, dims)];
  let product = 0;
  let square = 0;
  for (const row of unused) {
    for (let dim = 0, at = row * dims; dim < dims; dim++, at++) {
      const weight = (before[at] ?? 0) - (origin[dim] ?? 0);
      product += ((moves[at] ?? 0) - (shared[dim] ?? 0)) * weight;
      square += weight * weight;
    }
  }
  const decay = square > 0 ? product / square : 0;
  return new Float64Array(before.length / dims).map((_, row) => {
    let sum = 0;
    for (let dim = 0, at = row * dims; dim < dims; dim++, at++) {
      sum += ((moves[at] ?? 0) - (shared[dim] ?? 0) - decay * ((before[at] ?? 0) - (origin[dim] ?? 0))) ** 2;
    }
    return Math.sqrt(sum);
  });
}

function isEqualRow(values: Float64Array, a: number, b: number, dims: number): boolean {
  for (let dim = 0; dim < dims; dim++) if (values[a * dims + dim] !== values[b * dims + dim]) return false;
  return true;
}

/** For each row, an unused row with the same value; −1 if there is none. */
function unusedTwins(classes: Int32Array, unused: readonly number[]): Int32Array {
  const ofClass = new Map(unused.map((row) => [classes[row] ?? row, row]));
  return classes.map((first) => ofClass.get(first) ?? -1);
}

/**
 * The first state in which each row has moved other than the unused rows: an equal one now differs from it, or else what is left of its move after their shared
 * motion is twice as long as theirs, beyond rounding. Without unused rows, the first state in which a row has moved at all.
 * @yields the number of states read.
 * @returns for each row, a state from 1 on, or 0 for never; unused rows have 0.
 */
export function* onsetStates(history: History, unused: readonly number[]): Generator<number, Int32Array> {
  const { states, tokens, dims, dtype } = history;
  const onset = new Int32Array(tokens);
  const open = new Set(selectRows(tokens));
  for (const row of unused) open.delete(row);
  let before = readState(history, 0);
  let earlier = before.toFloat64();
  for (let state = 1; state < states && open.size > 0; state++) {
    const after = readState(history, state);
    const later = after.toFloat64();
    const moves = later.map((value, index) => value - (earlier[index] ?? 0));
    const left = residuals(earlier, moves, unused, dims);
    const ofUnused = Float64Array.from(unused, (row) => left[row] ?? 0);
    const middle = median(ofUnused);
    const spread = median(ofUnused.map((value) => Math.abs(value - middle)));
    const limit = margin * ofUnused.reduce((most, value) => Math.max(most, value), middle + allowed * spread);
    const twins = unusedTwins(rowClasses(rowValues(dtype, before.bytes, dims), selectRows(tokens)), unused);
    for (const row of open) {
      const twin = twins[row] ?? -1;
      const rounding = () => (roundoff[dtype] ?? 0) * euclideanNorm(earlier.subarray(row * dims, (row + 1) * dims));
      const hasMoved = moves.subarray(row * dims, (row + 1) * dims).some((move) => move !== 0 && !Number.isNaN(move));
      const begins = unused.length === 0 ? hasMoved : twin >= 0 ? !isEqualRow(later, row, twin, dims) : (left[row] ?? 0) > limit + rounding();
      if (!begins) continue;
      onset[row] = state;
      open.delete(row);
    }
    before = after;
    earlier = later;
    yield state;
  }
  return onset;
}

const schema = z
  .strictObject({ unused: count, began: steps.optional(), trained: counts, never: count })
  .describe(
    "began has the step at which each token began to train, null for never; trained has one entry per step: tokens that have begun; unused tokens are in neither",
  );

/** When each token began to train: when its row first moved other than the rows of unused tokens do. */
export const onsetAnalysis = defineAnalysis({
  name: "onset",
  schema,
  isOnRequest: true,
  needs: [measurableStates],
  async finish({ history, run, perToken, signal }) {
    const { runHere } = await import("../scan/run-in-parts.js");
    const { rowTokens, states, steps: recorded } = history;
    const unused = rowTokens.rowsOf((run?.deadTokens ?? []).filter((token) => rowTokens.has(token)));
    const onset = await runHere(onsetStates(history, unused), states, { signal });
    const began = Array.from(onset, (state) => (state === 0 ? null : (recorded?.[state] ?? state)));
    const trained = Array.from({ length: states - 1 }, (_, step) => onset.reduce((total, state) => total + Number(state > 0 && state <= step + 1), 0));
    return { unused: unused.length, ...perToken({ began }, history.tokens), trained, never: history.tokens - unused.length - (trained.at(-1) ?? 0) };
  },
  title: "Onset of training",
  print({ unused, trained, never }, stepOf) {
    if (trained.length === 0) return ["There are no steps."];
    const rows = glance(1, trained.length).map((step) => [groupDigits(stepOf(step)), groupDigits(trained[step - 1] ?? 0)]);
    const reference = unused === 0 ? "No token is known to be unused, so any motion counts" : `Motion other than that of ${countOf(unused, "unused token")}`;
    return [`${reference}; ${countOf(never, "token")} never began`, { head: ["step", "have begun"], rows }];
  },
  series: { trained: { per: "step", label: "tokens that train", of: ({ trained }) => trained } },
  charts: [{ key: "onset", title: "Onset of training", unit: "tokens", series: ["trained"] }],
  figures: [
    {
      name: "onset",
      title: "Tokens that have begun to train",
      caption: "Tokens whose rows have moved other than the rows of tokens that never appear in the text.",
      panels: [{ title: "", y: { label: "have begun to train", unit: "tokens", zero: true }, lines: ["trained"] }],
    },
  ],
});
