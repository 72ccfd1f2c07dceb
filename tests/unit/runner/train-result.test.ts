import { expect, test } from "vitest";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";
import { finalLoss, hasStepLosses, pitfallsOf } from "../../../src/runner/train-result.js";

test.each<[string, [number, number | null][], number | null]>([
  [
    "the last that was logged",
    [
      [10, 3],
      [20, 2.5],
    ],
    2.5,
  ],
  [
    "none, where it is not finite, whatever was before",
    [
      [10, 3],
      [20, null],
    ],
    null,
  ],
  ["none, where no step was made", [], null],
])("the final loss is %s", (_, loss, final) => expect(finalLoss({ loss })).toBe(final));

test.each<[string, number[], number, boolean]>([
  ["of each step", [1, 2, 3], 500, true],
  ["of each step of a run that began with a checkpoint", [1001, 1002], 500, true],
  ["of one step", [1], 500, true],
  ["logged once", [500], 500, false],
  ["logged twice", [500, 1000], 500, false],
  ["logged at each step", [1, 2, 3], 1, false],
  ["none", [], 500, false],
])("losses %s are told from logged ones", async (_, steps, every, expected) => {
  const { config } = await resolveRunConfig({ set: [`training.logging_steps=${every}`] });
  expect(hasStepLosses({ loss: steps.map((step) => [step, 1]) }, config)).toBe(expected);
});

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
