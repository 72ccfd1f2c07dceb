import { z } from "zod";
import { figure, glance, groupDigits } from "../../text/format.js";
import { defineAnalysis, measurableStates } from "../analysis.js";
import { figures, jsonFigures } from "../document-fields.js";
import type { Observation } from "../scan/observation.js";
import { arraysByName, emptySeries, joinedByName } from "../scan/scan-history.js";

const names = ["min", "median", "max"] as const;

/** Norms of the rows, one entry per state. */
export interface RowNorms {
  readonly min: Float64Array;
  readonly median: Float64Array;
  readonly max: Float64Array;
}

/**
 * The smallest, median and largest ‖row‖₂ of a state, in float64. The median of an even number of rows is the mean of the middle two.
 * @param values `[tokens, dims]`, row-major.
 * @returns NaN for all three if some row is not finite.
 */
function rowNorms(values: Float64Array, tokens: number, dims: number): Record<(typeof names)[number], number> {
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
export const observation: Observation<RowNorms> = {
  module: import.meta.url,
  observe({ first, end, tokens, dims }) {
    const range = emptySeries(names, end - first);
    return {
      state(state, values) {
        const norms = rowNorms(values, tokens, dims);
        for (const name of names) range[name][state - first] = norms[name];
      },
      end: () => range,
    };
  },
  merge: (first, second) => joinedByName(names, first, second),
};

const schema = z
  .strictObject({ min: figures, median: figures, max: figures })
  .describe("Smallest, median and largest L2 norm of the rows, one entry per snapshot; null for a snapshot with a row that is not finite");

/** Norms of the rows over the training: weight decay shrinks the rows of dead tokens, gradients grow others. */
export const rowNormsAnalysis = defineAnalysis({
  name: "rowNorms",
  schema,
  isOnRequest: true,
  needs: [measurableStates],
  observation,
  finish: ({ range }) => jsonFigures(arraysByName(names, range)),
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
      caption: "Largest, median and smallest L2 norm of the embedding's rows in each snapshot. Snapshots with a row that is not finite are gaps.",
      panels: [{ title: "", y: { label: "‖row‖₂", unit: "weights", zero: true }, lines: ["maxNorm", "medianNorm", "minNorm"] }],
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
