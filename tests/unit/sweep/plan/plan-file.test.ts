import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadRunConfig } from "../../../../src/bridge/load-run-config.js";
import type { Plan } from "../../../../src/sweep/plan/plan.js";
import { planText, readPlan } from "../../../../src/sweep/plan/plan-file.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

const directory = temporaryDirectory();

test("a plan is read as it was written: a complete base, and what each trial sets over it", async () => {
  const base = await loadRunConfig({ input: { preset: "quick" } });
  const trial = { trial: "0123456789abcdef", set: { seed: 3 }, config: { ...base.config, seed: 3 }, corpus: "c0ffee" };
  const plan: Plan = {
    name: "s",
    base,
    trials: [trial],
    prune: { every: 10, when: "allFrozen" },
    question: null,
    hash: "ab",
    machine: { device: "cpu", gpus: 0, cores: 1 },
  };
  writeFileSync(join(directory, "plan.json"), planText(plan));
  expect(readPlan(directory)).toEqual({
    schema: "bh-bridge/plan@1",
    name: "s",
    hash: "ab",
    preset: "quick",
    base: JSON.parse(JSON.stringify(base.config)),
    prune: { every: 10, when: "allFrozen" },
    question: null,
    trials: [{ trial: "0123456789abcdef", set: { seed: 3 } }],
  });
});

test("a folder without a plan is no sweep, and a damaged plan is told", () => {
  expect(() => readPlan(join(directory, "nowhere"))).toThrow(expect.objectContaining({ code: "RUN_NOT_FOUND" }));
  writeFileSync(join(directory, "plan.json"), "{");
  expect(() => readPlan(directory)).toThrow(expect.objectContaining({ code: "RUN_CORRUPT" }));
});
