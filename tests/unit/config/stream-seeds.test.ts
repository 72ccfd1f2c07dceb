import { expect, test } from "vitest";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { modelSeeds, trainingSeeds } from "../../../src/config/stream-seeds.js";

test("each stream follows the seed of the run until it has one of its own", () => {
  const plain = parseRunConfig({ seed: 7 });
  expect({ ...modelSeeds(plain), ...trainingSeeds(plain) }).toEqual({ weights: 7, init: 7, data: 7, noise: 7 });
  const apart = parseRunConfig({ seed: 7, seeds: { init: 1, data: 0 } });
  expect({ ...modelSeeds(apart), ...trainingSeeds(apart) }).toEqual({ weights: 7, init: 1, data: 0, noise: 7 });
});

test("HF's own name for the seed of the data means the same", () => {
  expect(trainingSeeds(parseRunConfig({ training: { data_seed: 3 } }))).toEqual({ data: 3, noise: 42 });
});
