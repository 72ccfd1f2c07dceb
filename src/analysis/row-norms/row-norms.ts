import { z } from "zod";
import { figure, glance, groupDigits } from "../../text/format.js";
import { defineAnalysis, measurableStates } from "../analysis.js";
import { figures, jsonFigures } from "../document-fields.js";
import type { Observation } from "../scan/observation.js";
import { joinedSeries } from "../scan/scan-history.js";

/** Norms of the rows, an entry a state. */
export interface RowNorms<Series> {
  readonly min: Series;
  readonly median: Series;
  readonly max: Series;
}

/**
 * The smallest, the median and the largest ‖row‖₂ of a state, in float64. The median of an even number of rows is the mean of the middle two.
 *
 * @param values `[tokens, dims]`, row-major.
 * @returns NaN for all three when some row is not finite.
 */
function rowNorms(values: Float64Array, tokens: number, dims: number): RowNorms<number> {
  const norms = new Float64Array(tokens);
  for (let token = 0, index = 0; token < tokens; token++) {
    let squares = 0;
    for (let dim = 0; dim < dims; dim++, index++) squares += (values[index] ?? 0) ** 2;
    norms[token] = Math.sqrt(squares);
  }
  norms.sort();
  const at = (position: number): number => norms[position] ?? Number.NaN;
  const max = at(tokens - 1);
  if (!Number.isFinite(max)) return { min: Number.NaN, median: Number.NaN, max: Number.NaN };
  return { min: at(0), median: (at(Math.floor((tokens - 1) / 2)) + at(Math.floor(tokens / 2))) / 2, max };
}

/** The norms of the rows of each state. */
export const observation: Observation<RowNorms<Float64Array>> = {
  module: import.meta.url,
  observe({ first, end, tokens, dims }) {
    const series = (): Float64Array => new Float64Array(end - first);
    const range = { min: series(), median: series(), max: series() };
    return {
      state(state, values) {
        const { min, median, max } = rowNorms(values, tokens, dims);
        range.min[state - first] = min;
        range.median[state - first] = median;
        range.max[state - first] = max;
      },
      end: () => range,
    };
  },
  merge: (first, second) => ({
    min: joinedSeries(first.min, second.min),
    median: joinedSeries(first.median, second.median),
    max: joinedSeries(first.max, second.max),
  }),
};

const schema = z
  .strictObject({ min: figures, median: figures, max: figures })
  .describe("L2 norms of the rows, an entry a state: the smallest, the median and the largest; null in a state with a row that is not finite");

/** How the norms of the rows develop: weight decay shrinks the rows of dead tokens, gradients grow others. */
export const rowNormsAnalysis = defineAnalysis({
  name: "rowNorms",
  schema,
  isOnRequest: true,
  needs: [measurableStates],
  observation,
  finish: ({ range: { min, median, max } }) => jsonFigures({ min: Array.from(min), median: Array.from(median), max: Array.from(max) }),
  title: "Norms of the rows",
  print({ min, median, max }, stepOf) {
    const rows = glance(0, max.length - 1).map((state) => [groupDigits(stepOf(state)), ...[min, median, max].map((series) => figure(series[state]))]);
    return [{ head: ["step", "min", "median", "max"], rows }];
  },
  series: {
    maxNorm: { per: "state", label: "largest norm", of: ({ max }) => max },
    medianNorm: { per: "state", label: "median norm", of: ({ median }) => median },
    minNorm: { per: "state", label: "smallest norm", of: ({ min }) => min },
  },
  charts: [{ key: "norms", title: "Norms of the rows", unit: "L2 norm", series: ["maxNorm", "medianNorm", "minNorm"] }],
  figures: [
    {
      name: "row-norms",
      title: "Norms of the rows",
      caption: "L2 norm of the embedding's rows in each snapshot: the largest, the median and the smallest. A snapshot with a row that is not finite is a gap.",
      panels: [{ title: "", y: { label: "‖row‖₂", unit: "weights", zero: true }, lines: { largest: "maxNorm", median: "medianNorm", smallest: "minNorm" } }],
    },
  ],
  live: {
    series: ["maxNorm", "medianNorm", "minNorm"],
    start:
      ({ tokens, dims }) =>
      (values) => {
        const { min, median, max } = rowNorms(values, tokens, dims);
        return { maxNorm: max, medianNorm: median, minNorm: min };
      },
  },
});
