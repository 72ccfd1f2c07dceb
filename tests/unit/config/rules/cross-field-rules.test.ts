import { expect, test } from "vitest";
import { resolveRunConfig } from "../../../../src/config/resolve-run-config.js";
import { problems } from "./rule-cases.js";

test.each([
  [["model.n_head=3"], "model.n_head: 3 does not fit model.n_embd: 64 is not divisible by model.n_head = 3: each head takes an equal share"],
  [["model.n_head=3", "model.n_embd=64"], "model.n_embd: 64 is not divisible by model.n_head = 3: each head takes an equal share"],
])("of the values in a broken rule the one that was set is blamed: %s", async (set, message) => {
  expect(await problems(...set)).toEqual([message]);
});

test("the source is that of the value that is blamed", async () => {
  await expect(resolveRunConfig({ set: ["model.n_head=3"] })).rejects.toMatchObject({ issues: [{ path: "model.n_head", source: "--set" }] });
  await expect(resolveRunConfig({ input: { model: { n_head: 3 } } })).rejects.toMatchObject({ issues: [{ path: "model.n_head", source: "input" }] });
});

test("a rule is checked beside wrong fields, but not with them", async () => {
  expect(await problems("model.n_embd=63", "training.learning_rate=fast")).toHaveLength(2);
  expect(await problems("model.n_embd=63", "model.n_head=two")).toEqual(['model.n_head: "two" is not accepted: expected an integer of at least 1']);
});

test("what is wrong in several sections is told at once", async () => {
  const said = await problems("record.rows=[1,1]", "data.window_length=129", "processes=6", "model.n_embd=63", "training.fp16=true", "stack=2");
  expect(said.map((line) => line.split(": ")[0])).toEqual([
    "engine.batched_runs",
    "data.window_length",
    "model.n_embd",
    "record.rows",
    "training.fp16",
    "engine.processes",
  ]);
});
