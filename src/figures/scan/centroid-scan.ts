import { geometryOfValues } from "../../analysis/geometry/state-geometry.js";
import type { Observation } from "../../analysis/scan/observation.js";
import { joinedSeries } from "../../analysis/scan/scan-history.js";

/** The centroid of every state, `[states, dims]`. */
export const observation: Observation<Float64Array> = {
  module: import.meta.url,
  observe({ first, end, tokens, dims }) {
    const centroids = new Float64Array((end - first) * dims);
    return { state: (state, values) => centroids.set(geometryOfValues(values, tokens, dims).centroid, (state - first) * dims), end: () => centroids };
  },
  merge: joinedSeries,
};
