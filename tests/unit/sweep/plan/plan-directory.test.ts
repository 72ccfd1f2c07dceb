import { renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { loadRunConfig } from "../../../../src/bridge/load-run-config.js";
import type { Plan } from "../../../../src/sweep/plan/plan.js";
import { createPlanDirectory, findPlanDirectory, planText, readPlan, replacePlan } from "../../../../src/sweep/plan/plan-directory.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

const out = temporaryDirectory();
const base = await loadRunConfig({});

function planOf(name: string, hash: string): Plan {
  return { name, base, trials: [], prune: null, question: null, hash, machine: { device: "cpu", gpus: 0, cores: 1 } };
}

test("a directory is found by name and hash; one of another base is told beside it", () => {
  const plan = planOf("Sigma 2.5", "0123456789ab");
  expect(findPlanDirectory(out, plan)).toEqual({ same: undefined, other: undefined });
  const directory = createPlanDirectory(out, plan);
  expect(basename(directory)).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-sigma-2\.5-01234567$/);
  expect(findPlanDirectory(out, plan)).toEqual({ same: directory, other: undefined });
  expect(findPlanDirectory(out, planOf("Sigma 2.5", "ffffffffffff"))).toEqual({ same: undefined, other: directory });
  expect(findPlanDirectory(out, planOf("sigma", "0123456789ab"))).toEqual({ same: undefined, other: undefined });
});

test("a directory that an earlier version named is found by a name with accents", () => {
  const plan = planOf("Größe", "bbbbbbbbbbbb");
  const earlier = join(out, "2026-11-25T10-00-00-gro-e-bbbbbbbb");
  renameSync(createPlanDirectory(out, plan), earlier);
  expect(findPlanDirectory(out, plan).same).toBe(earlier);
});

test("a plan may get more trials in the same directory", () => {
  const plan = planOf("more", "aaaaaaaaaaaa");
  const directory = createPlanDirectory(out, plan);
  replacePlan(directory, { ...plan, trials: [{ trial: "0123456789abcdef", set: { seed: 1 }, config: base.config, corpus: "" }] });
  expect(readPlan(directory).trials).toEqual([{ trial: "0123456789abcdef", set: { seed: 1 } }]);
});

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
