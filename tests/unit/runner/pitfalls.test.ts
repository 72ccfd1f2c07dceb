import { expect, test } from "vitest";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";
import { pitfallsOf } from "../../../src/runner/pitfalls.js";

const corrections = async (...set: string[]) => pitfallsOf((await resolveRunConfig({ set })).config).map(({ corrected }) => corrected);

test("the seed's run has all five", async () => {
  expect(await corrections()).toEqual([
    "data.label_shift=causal",
    "training.decay_norms=never",
    "training.lr_scheduler_type=constant",
    "training.max_grad_norm=0",
    "training.optimizer_state_dtype=float32",
  ]);
});

test("each is gone with the setting that it names", async () => {
  const all = await corrections();
  for (const correction of all) expect(await corrections(correction), correction).toEqual(all.filter((other) => other !== correction));
  expect(await corrections(...all)).toEqual([]);
});

test.each(["model.norm=layernorm", "training.weight_decay=0"])("without decaying RMSNorms there is no confound: %s", async (set) => {
  expect(await corrections(set)).not.toContain("training.decay_norms=never");
});

test("an engine with bits of its own is named", async () => {
  expect(await corrections("engine=fast")).toContain("engine=trainer");
});

test("float32 weights have float32 moments", async () => {
  expect(await corrections("model.dtype=float32")).not.toContain("training.optimizer_state_dtype=float32");
});
