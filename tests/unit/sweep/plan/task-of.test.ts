import { expect, test } from "vitest";
import { loadRunConfig } from "../../../../src/bridge/load-run-config.js";
import { configHash } from "../../../../src/config/config-hash.js";
import type { Plan } from "../../../../src/sweep/plan/plan.js";
import { taskOf } from "../../../../src/sweep/plan/task-of.js";

test("a run of an experiment is named after arm and seed, also where the base has a name", async () => {
  const base = await loadRunConfig({ input: { name: "all" } });
  const plan: Plan = { name: "norms", base, trials: [], prune: null, question: null, hash: "", machine: { device: "cpu", gpus: 0, cores: 1 } };
  const trial = { trial: "t", arm: "rmsnorm", set: { "model.norm": "rmsnorm", seed: 42 }, config: base.config, corpus: "c" };
  expect(taskOf(plan, trial, "/out").config.name).toBe("rmsnorm-seed-42");
  expect(taskOf(plan, { ...trial, set: { name: "own" }, config: { ...base.config, name: "own" } }, "/out").config.name).toBe("own");
});

test("a run is called after what its trial sets, unless the trial has a name; its identity stays", async () => {
  const base = await loadRunConfig({});
  const plan = { name: "sigma", base, trials: [], prune: null, question: null, hash: "", machine: { device: "cpu", gpus: 0, cores: 1 } } as const;
  const trial = { trial: "t", set: { "init.sigma": 1e-5, "model.norm": "rmsnorm" }, config: base.config, corpus: "c" };
  const task = taskOf({ ...plan, trials: [trial] }, trial, "/out");
  expect(task).toMatchObject({ trial: "t", preset: "rmsnorm-11.2a", corpus: "c", out: "/out", run: null, prune: null });
  expect(task.config.name).toBe("sigma init.sigma=0.00001 model.norm=rmsnorm");
  expect(configHash(task.config)).toBe(base.hash);
  expect(taskOf({ ...plan, trials: [] }, { ...trial, config: { ...base.config, name: "mine" } }, "/out").config.name).toBe("mine");
});
