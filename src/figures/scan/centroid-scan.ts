import { geometryOfValues } from "../../analysis/geometry-of-values.js";
import { joinedSeries } from "../../analysis/scan/joined-series.js";
import type { Observation } from "../../analysis/scan/observation.js";

/** The centroid of every state, `[states, dims]`. */
export const observation: Observation<Float64Array> = {
  module: import.meta.url,
  observe({ first, end, tokens, dims }) {
    const centroids = new Float64Array((end - first) * dims);
    return { state: (state, values) => centroids.set(geometryOfValues(values, tokens, dims).centroid, (state - first) * dims), end: () => centroids };
  },
  merge: joinedSeries,
};
