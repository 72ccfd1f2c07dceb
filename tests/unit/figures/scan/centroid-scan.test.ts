import { expect, test } from "vitest";
import { observation } from "../../../../src/figures/scan/centroid-scan.js";
import { memoryHistory } from "../../analysis/memory-source.js";
import { observed } from "../../analysis/scan/observed.js";

const history = memoryHistory("F32", [3, 2, 2], new Uint8Array(Float32Array.of(1, 2, 3, 4, 0, 0, 8, 16, -1, 0.5, 1, 0.5).buffer));

test("the centroid of each state is the mean of its rows, also where the history is read in ranges", () => {
  const centroids = Float64Array.of(2, 3, 4, 8, 0, 0.5);
  expect(observed(observation, history, 0, 3)).toEqual(centroids);
  for (const cut of [1, 2]) expect(observation.merge(observed(observation, history, 0, cut), observed(observation, history, cut, 3))).toEqual(centroids);
});
