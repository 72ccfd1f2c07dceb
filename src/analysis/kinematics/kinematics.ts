import { z } from "zod";
import { BhBridgeError } from "../../errors.js";
import { type History, readState, stepsOf } from "../../formats/history.js";
import { glance, groupDigits, figure as shown } from "../../text/format.js";
import { defineAnalysis, measurableStates } from "../analysis.js";
import { counts, figures, jsonFigures } from "../document-fields.js";
import { euclideanNorm } from "../geometry/centroid.js";
import { meanRow } from "../geometry/state-geometry.js";

/** Distances, in steps, at which velocities are correlated. */
const lags = [1, 2, 4, 8] as const;

/** The motion of the rows, decomposed. Entry i of a series belongs to the move to state i + 1. */
export interface Kinematics {
  /** ‖V‖ of the bulk velocity V = mean ΔW. */
  readonly bulkSpeed: readonly number[];
  /** √(mean ‖u‖²) of the peculiar velocities u = ΔW − V. */
  readonly peculiarSpeed: readonly number[];
  /** Mean of u·r̂, where r̂ is the direction from the previous centroid to the row; above 0, rows move outwards. */
  readonly radial: readonly number[];
  /** √(mean (u·r̂)²), and √(mean (‖u‖² − (u·r̂)²)), both over the rows that are not at the centroid. */
  readonly radialSpeed: readonly number[];
  readonly tangentialSpeed: readonly number[];
  readonly autocorrelation: {
    readonly lags: readonly number[];
    /** ⟨V(t)·V(t + k)⟩ / √(⟨‖V(t)‖²⟩⟨‖V(t + k)‖²⟩) over all t, for each lag k; NaN if nothing moved or the history is too short. */
    readonly bulk: readonly number[];
    /** The same for peculiar velocities, summed over the rows. */
    readonly peculiar: readonly number[];
  };
}

type Correlation = Record<"product" | "before" | "after", number>;

function correlate(sums: Correlation, before: Float64Array, after: Float64Array): void {
  for (let index = 0; index < after.length; index++) {
    const [a = 0, b = 0] = [before[index], after[index]];
    sums.product += a * b;
    sums.before += a * a;
    sums.after += b * b;
  }
}

interface StepKinematics {
  readonly bulk: Float64Array;
  readonly peculiar: Float64Array;
  readonly figures: readonly [bulkSpeed: number, peculiarSpeed: number, radial: number, radialSpeed: number, tangentialSpeed: number];
}

function stepKinematics(previous: Float64Array, current: Float64Array, { tokens, dims, dtype }: History): StepKinematics {
  const change = current.map((value, index) => (dtype === "F64" ? value - (previous[index] ?? 0) : Math.fround(value - (previous[index] ?? 0))));
  const bulk = meanRow(change, tokens, dims);
  const centroid = meanRow(previous, tokens, dims);
  const peculiar = change.map((value, index) => value - (bulk[index % dims] ?? 0));
  let squares = 0;
  let [outward, radialSquares, tangentialSquares, counted] = [0, 0, 0, 0];
  for (let token = 0; token < tokens; token++) {
    let [along, radius, length] = [0, 0, 0];
    for (let dim = 0, index = token * dims; dim < dims; dim++, index++) {
      const u = peculiar[index] ?? 0;
      const r = (previous[index] ?? 0) - (centroid[dim] ?? 0);
      along += u * r;
      radius += r * r;
      length += u * u;
    }
    squares += length;
    if (radius === 0) continue;
    const radial = along / Math.sqrt(radius);
    counted++;
    outward += radial;
    radialSquares += radial * radial;
    tangentialSquares += Math.max(0, length - radial * radial);
  }
  const over = (sum: number): number => (counted === 0 ? 0 : sum / counted);
  return {
    bulk,
    peculiar,
    figures: [euclideanNorm(bulk), Math.sqrt(squares / tokens), over(outward), Math.sqrt(over(radialSquares)), Math.sqrt(over(tangentialSquares))],
  };
}

/**
 * Bulk and peculiar motion of the rows, its radial and tangential parts, and autocorrelations. ΔW is subtracted in float32 (float64 for a float64 history);
 * everything after that is float64. Ten states are in memory.
 */
function* kinematics(history: History): Generator<number, Kinematics> {
  const series: [number[], number[], number[], number[], number[]] = [[], [], [], [], []];
  const sums = lags.map(() => ({ bulk: { product: 0, before: 0, after: 0 }, peculiar: { product: 0, before: 0, after: 0 } }));
  const earlier: StepKinematics[] = []; // the newest first
  let previous = readState(history, 0).toFloat64();
  for (let state = 1; state < history.states; state++) {
    const current = readState(history, state).toFloat64();
    const step = stepKinematics(previous, current, history);
    for (const [index, figure] of step.figures.entries()) series[index]?.push(figure);
    for (const [index, lag] of lags.entries()) {
      const other = earlier[lag - 1];
      const sum = sums[index];
      if (!(other && sum)) continue;
      correlate(sum.bulk, other.bulk, step.bulk);
      correlate(sum.peculiar, other.peculiar, step.peculiar);
    }
    earlier.unshift(step);
    earlier.length = Math.min(earlier.length, lags[lags.length - 1] ?? 0);
    previous = current;
    yield state + 1;
  }
  const [bulkSpeed, peculiarSpeed, radial, radialSpeed, tangentialSpeed] = series;
  const coefficient = ({ product, before, after }: Correlation): number => product / Math.sqrt(before * after);
  const autocorrelation = { lags, bulk: sums.map(({ bulk }) => coefficient(bulk)), peculiar: sums.map(({ peculiar }) => coefficient(peculiar)) };
  return { bulkSpeed, peculiarSpeed, radial, radialSpeed, tangentialSpeed, autocorrelation };
}

/** Distance of two runs at each step that both recorded. */
export interface RunDivergence {
  readonly steps: readonly number[];
  /** √(mean over rows of ‖A − B‖²). */
  readonly distance: readonly number[];
  /** ‖mean A − mean B‖: distance of the centroids. */
  readonly centroid: readonly number[];
  /** Number of rows with equal values in every component. */
  readonly equalRows: readonly number[];
}

/** The divergence of two histories, in float64; one state of each is in memory. @throws {BhBridgeError} `FORMAT_INVALID` if their states differ in shape. */
function* runDivergence(a: History, b: History): Generator<number, RunDivergence> {
  const { tokens, dims } = a;
  if (b.tokens !== tokens || b.dims !== dims) {
    throw new BhBridgeError("FORMAT_INVALID", `${a.source} has states of ${tokens} × ${dims}, ${b.source} of ${b.tokens} × ${b.dims}: they cannot be compared`);
  }
  const others = new Map(stepsOf(b).map((step, state) => [step, state]));
  const [steps, distance, centroid, equalRows]: number[][] = [[], [], [], []];
  for (const [state, step] of stepsOf(a).entries()) {
    const other = others.get(step);
    if (other === undefined) continue;
    const [left, right] = [readState(a, state).toFloat64(), readState(b, other).toFloat64()];
    const apart = new Float64Array(dims);
    let squares = 0;
    let equal = 0;
    for (let token = 0, index = 0; token < tokens; token++) {
      let isEqual = true;
      for (let dim = 0; dim < dims; dim++, index++) {
        const difference = (left[index] ?? 0) - (right[index] ?? 0);
        if (left[index] !== right[index]) isEqual = false;
        squares += difference * difference;
        apart[dim] = (apart[dim] ?? 0) + difference;
      }
      if (isEqual) equal++;
    }
    steps?.push(step);
    distance?.push(Math.sqrt(squares / tokens));
    centroid?.push(euclideanNorm(apart) / tokens);
    equalRows?.push(equal);
    yield state + 1;
  }
  return { steps: steps ?? [], distance: distance ?? [], centroid: centroid ?? [], equalRows: equalRows ?? [] };
}

const schema = z
  .strictObject({
    bulkSpeed: figures,
    peculiarSpeed: figures,
    radial: figures,
    radialSpeed: figures,
    tangentialSpeed: figures,
    autocorrelation: z.strictObject({ lags: counts, bulk: figures, peculiar: figures }),
    divergence: z
      .strictObject({ steps: counts, distance: figures, centroid: figures, equalRows: counts })
      .optional()
      .describe("Distance from another run, if one was given"),
  })
  .describe("Entry i of a series belongs to step i + 1; velocities are ΔW per step");

/** Bulk and peculiar motion, its parts and persistence, and the divergence from another run. */
export const kinematicsAnalysis = defineAnalysis({
  name: "kinematics",
  schema,
  isOnRequest: true,
  needs: [measurableStates],
  async finish({ history, against, signal }) {
    const { runHere } = await import("../scan/run-in-parts.js");
    const found = await runHere(kinematics(history), history.states, { signal });
    const divergence = against && (await runHere(runDivergence(history, against), history.states, { signal }));
    const { lags } = found.autocorrelation;
    const figuresFound = jsonFigures(found);
    return {
      ...figuresFound,
      autocorrelation: { ...figuresFound.autocorrelation, lags },
      ...(divergence && { divergence: { ...divergence, ...jsonFigures({ distance: divergence.distance, centroid: divergence.centroid }) } }),
    };
  },
  title: "Kinematics",
  print({ bulkSpeed, peculiarSpeed, radial, radialSpeed, tangentialSpeed, autocorrelation, divergence }, stepOf) {
    if (bulkSpeed.length === 0) return ["There are no steps."];
    const rows = glance(1, bulkSpeed.length).map((step) => [
      groupDigits(stepOf(step)),
      ...[bulkSpeed, peculiarSpeed, radial, radialSpeed, tangentialSpeed].map((series) => shown(series[step - 1])),
    ]);
    const last = autocorrelation.lags.map((lag, index) => [groupDigits(lag), shown(autocorrelation.bulk[index]), shown(autocorrelation.peculiar[index])]);
    const apart = divergence
      ? [
          "Distance from the other run",
          {
            head: ["step", "distance", "centroids", "equal rows"],
            rows: glance(0, divergence.steps.length - 1).map((at) => [
              groupDigits(divergence.steps[at] ?? 0),
              shown(divergence.distance[at]),
              shown(divergence.centroid[at]),
              groupDigits(divergence.equalRows[at] ?? 0),
            ]),
          },
        ]
      : [];
    return [
      { head: ["step", "bulk", "peculiar", "outwards", "radial", "tangential"], rows },
      "Correlation of velocities by the number of steps between them",
      { head: ["steps", "bulk", "peculiar"], rows: last },
      ...apart,
    ];
  },
});
