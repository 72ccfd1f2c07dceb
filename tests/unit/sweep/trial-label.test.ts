import { expect, test } from "vitest";
import type { SweepTrial } from "../../../src/sweep/sweep-document.js";
import { armLabel, distinctLabels, trialLabel } from "../../../src/sweep/trial-label.js";

test.each<[SweepTrial["set"], string]>([
  [{}, "base"],
  [{ "init.sigma": 1e-5, seed: 3 }, "init.sigma=0.00001 seed=3"],
  [{ "model.norm": "rmsnorm", "record.rows": [1, 2], threads: null }, "model.norm=rmsnorm record.rows=[1,2] threads=null"],
])("a trial is labelled by what it sets: %j", (set, label) => expect(trialLabel({ set })).toBe(label));

test("a run of an experiment is labelled by arm and seed", () => {
  expect(trialLabel({ arm: "rmsnorm", set: { "model.norm": "rmsnorm", seed: 42 } })).toBe("rmsnorm-seed-42");
  expect(armLabel("rmsnorm", {})).toBe("rmsnorm");
});

test("an escape sequence in a value does nothing to the terminal", () => expect(trialLabel({ set: { name: "a\u001b[31mb" } })).not.toContain("\u001b"));

test("labels have the fields that differ, with their sections only where two fields share a name", () => {
  const sets = [
    { "model.norm": "rmsnorm", "init.sigma": 1e-5, "noise.sigma": 1, seed: 1 },
    { "model.norm": "rmsnorm", "init.sigma": 1e-4, "noise.sigma": 2, seed: 2 },
  ];
  const labelOf = distinctLabels(sets.map((set) => ({ set })));
  expect(sets.map((set) => labelOf({ set }))).toEqual(["init.sigma=0.00001 noise.sigma=1 seed=1", "init.sigma=0.0001 noise.sigma=2 seed=2"]);
  const seeds = distinctLabels([1, 2].map((seed) => ({ set: { "training.learning_rate": 1e-3, seed } })));
  expect(seeds({ set: { "training.learning_rate": 1e-3, seed: 2 } })).toBe("seed=2");
});
