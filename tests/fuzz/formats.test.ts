import { expect, test } from "vitest";
import { openSafetensors } from "../../src/formats/safetensors/safetensors.js";
import { openTorchArchive } from "../../src/formats/torch/torch-archive.js";
import { repetitions } from "../repetitions.js";
import { temporaryDirectory } from "../unit/formats/reference-python.js";
import { fuzz, type Target } from "./fuzz.js";
import { mutate, mutateSafetensors, mutateTorchPickle } from "./mutate.js";

// `npm run test:fuzz -- --runs N --seed S` sets these; a usual test run takes a small sample, always the same.
const setting = (name: string, usual: number): number => Number(process.env[`BH_BRIDGE_FUZZ_${name}`] ?? usual);
const seed = setting("SEED", 1);
const first = setting("FIRST", 0);
const minutesMs = 60_000;
/** Memory that the tests themselves and the garbage of 10,000s of cases take. */
const maxMemoryGrowthMb = 256;

const targets: readonly (Target & { runs: number })[] = [
  {
    kind: "safetensors",
    extension: ".safetensors",
    mutators: [mutate, mutateSafetensors, mutateSafetensors],
    open: openSafetensors,
    runs: setting("SAFETENSORS", repetitions(500, 1500)),
  },
  {
    kind: "torch",
    extension: ".pt",
    mutators: [mutate, mutateTorchPickle, mutateTorchPickle],
    open: openTorchArchive,
    runs: setting("TORCH", repetitions(200, 500)),
  },
];

test.each(targets)("$runs mutated $kind files: a typed error, or the reference library's answer", { timeout: 60 * minutesMs }, async (target) => {
  const outcome = await fuzz(target, temporaryDirectory(), target.runs, seed, first);
  const { violations, ...figures } = outcome;
  process.stderr.write(`${target.kind}, seed ${seed}: ${JSON.stringify(figures)}\n`);
  expect(violations).toEqual([]);
  expect(outcome.memoryGrowthMb).toBeLessThan(maxMemoryGrowthMb);
  // A reader that refuses everything would pass the rest.
  if (target.runs >= 100) expect(outcome.agreed).toBeGreaterThan(target.runs / 50);
});
