import { expect, test } from "vitest";
import { experimentFromOptions } from "../../../../src/commands/experiment/experiment-from-options.js";

const nothing = { arms: [], seeds: undefined, name: undefined };

test("an experiment that ships, with other seeds and another name", async () => {
  const { name, seeds, arms } = await experimentFromOptions("rmsnorm-vs-layernorm", { ...nothing, seeds: "1..3", name: "mine" });
  expect([name, seeds, Object.keys(arms)]).toEqual(["mine", [1, 2, 3], ["layernorm", "rmsnorm"]]);
});

test("arms on the command line are the whole experiment, or more arms of one", async () => {
  const given = ["still", "jiggle:noise.epsilon=3e-5,training.max_steps=5", "jiggle:seed=1"];
  expect((await experimentFromOptions(undefined, { ...nothing, arms: given })).arms).toEqual({
    still: {},
    jiggle: { "noise.epsilon": 3e-5, "training.max_steps": 5, seed: 1 },
  });
  const { arms } = await experimentFromOptions("rmsnorm-vs-layernorm", { ...nothing, arms: ["undecayed:training.weight_decay=0"] });
  expect(Object.keys(arms)).toEqual(["layernorm", "rmsnorm", "undecayed"]);
});

test("what cannot be read is told at once", async () => {
  await expect(experimentFromOptions(undefined, nothing)).rejects.toMatchObject({ code: "USAGE" });
  await expect(experimentFromOptions(undefined, { arms: ["a:x"], seeds: "many", name: undefined })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [
      { path: "x", source: "--arm" },
      { path: "seeds", source: "--seeds" },
    ],
  });
});
