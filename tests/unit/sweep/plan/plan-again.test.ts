import { createHash } from "node:crypto";
import { mkdirSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { resolvePython } from "../../../../src/python/require-packages.js";
import { LocalExecutor } from "../../../../src/sweep/executors/local/local-executor.js";
import { loadExperiment } from "../../../../src/sweep/experiment/load-experiment.js";
import { loadBase } from "../../../../src/sweep/grammar/load-base.js";
import { loadSweep } from "../../../../src/sweep/grammar/load-sweep.js";
import type { SweepDefinition } from "../../../../src/sweep/grammar/sweep-schema.js";
import { createPlanDirectory, planText, readPlan } from "../../../../src/sweep/plan/plan-directory.js";
import { planAgain, planExperiment, planSweep } from "../../../../src/sweep/plan/plan-experiment.js";
import { planSettings } from "../../../../src/sweep/trial-table.js";
import { python as interpreter, temporaryDirectory } from "../../formats/reference-python.js";

const python = await resolvePython({ python: interpreter });
const executor = new LocalExecutor(python);
const out = temporaryDirectory();
const corpus = join(out, "text.txt");
writeFileSync(corpus, "A text of its own, long enough for a window. ".repeat(10));
const base = { preset: "quick", device: "cpu", data: { corpus } } as const;

test("the plan of an experiment is made again from its directory, rules and trials the same", async () => {
  const arms = { layernorm: { model: { norm: "layernorm" } }, rmsnorm: {} } as const;
  const loaded = await loadExperiment({ base, arms, seeds: "42..43", rules: { margin: { deadC: 1 }, decides: ["deadC"] }, measures: ["deadC@0"] });
  const plan = await planExperiment(loaded, await loadBase(loaded.base, {}, { directory: ".", cwd: "." }), executor);
  const stored = planAgain(createPlanDirectory(out, plan));
  const again = await stored.plan(executor);
  expect(planText(again)).toBe(planText(plan));
  expect(again.trials).toEqual(plan.trials);
  expect(stored.question?.arms).toEqual(["layernorm", "rmsnorm"]);
});

test("that of a sweep too, and what no longer comes to the same trials is refused", async () => {
  const input: SweepDefinition = { base, grid: { "training.learning_rate": [1e-3, 3e-4] }, seeds: [1, 2], prune: { every: 10, when: "allFrozen" } };
  const plan = await planSweep(await loadSweep({ input }), { executor, python, out });
  const stored = planAgain(createPlanDirectory(out, plan));
  expect(planText(await stored.plan(executor))).toBe(planText(plan));
  expect(stored.question).toBeNull();
  writeFileSync(corpus, "Another text, which is long enough for a window as well. ".repeat(10));
  await expect(stored.plan(executor)).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("with --retry") });
});

test("a text that has moved is read at the given path; more paths than texts are refused", async () => {
  const [old, present] = ["old", "present"].map((name) => join(out, name, "moved.txt"));
  for (const path of [old, present]) mkdirSync(dirname(String(path)));
  writeFileSync(String(old), "Text that moves to another folder, under its name. ".repeat(10));
  const plan = await planSweep(await loadSweep({ input: { base: { ...base, data: { corpus: String(old) } }, seeds: [1, 2] } }), { executor, python, out });
  const directory = createPlanDirectory(out, plan);
  renameSync(String(old), String(present));
  await expect(planAgain(directory).plan(executor)).rejects.toMatchObject({ code: "CORPUS_INVALID" });
  const again = await planAgain(directory, [String(present)]).plan(executor);
  expect({ hash: again.hash, trials: again.trials.map(({ trial }) => trial) }).toEqual({ hash: plan.hash, trials: plan.trials.map(({ trial }) => trial) });
  expect(again.trials[0]?.config.data.corpus).toBe(present);
  expect(() => planAgain(directory, ["a", "b"])).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringContaining("1 text, got 2 paths") }));
});

test("code that a trial sets is stored with the plan, which needs its file no more", async () => {
  const file = join(out, "net.py");
  const source = "from torch import nn\n\nclass Net(nn.Module):\n    pass\n";
  writeFileSync(file, source);
  const own = { type: "python", class: "Net", fields: {}, vocab_size: 128 } as const;
  const long = { ...base, data: { corpus, window_length: 32 } };
  const arms = {
    control: {},
    own: { model: { ...own, code: "net.py" } },
    init: { init: { kind: "python", code: { path: "net.py" }, function: "start" } },
    loss: { training: { compute_loss_func: { code: { path: "net.py" }, function: "loss" } } },
  } as const;
  const loaded = { ...(await loadExperiment({ base: long, arms, seeds: "42..43" })), directory: out };
  const plan = await planExperiment(loaded, await loadBase(long, {}, { directory: ".", cwd: "." }), executor);
  const directory = createPlanDirectory(out, plan);
  const sha256 = createHash("sha256").update(source).digest("hex");
  expect(readPlan(directory).code).toEqual([{ path: file, sha256, source }]);
  expect(plan.trials[1]).toMatchObject({ set: { "model.code": file }, config: { model: { code: { path: file, sha256, source } } } });
  writeFileSync(file, "raise SystemExit\n");
  expect((await planAgain(directory).plan(executor)).trials).toEqual(plan.trials);
  unlinkSync(file);
  expect(planText(await planAgain(directory).plan(executor))).toBe(planText(plan));
  expect(planSettings(directory)(plan.trials[1]?.set ?? {}, "model.code.sha256")).toBe(sha256);
  expect(planSettings(directory)(plan.trials[1]?.set ?? {}, "model.code")).toBe(file);
});

test("code that an axis sets by an object replaces that of the base, and must have the SHA-256 that is given with it", async () => {
  const [first, second] = ["one.py", "two.py"].map((name) => join(out, name)) as [string, string];
  for (const file of [first, second]) writeFileSync(file, `# ${file}\n`);
  const own = { ...base, data: { corpus, window_length: 32 }, model: { type: "python", class: "Net", code: first, vocab_size: 128 } } as const;
  const planned = async (code: object) =>
    (await planSweep(await loadSweep({ input: { base: own, cases: [{ model: { code } }] } as SweepDefinition }), { executor, python, out })).trials[0]?.config
      .model;
  expect(await planned({ path: second })).toMatchObject({ code: { path: second, source: `# ${second}\n` } });
  await expect(planned({ sha256: "ab", path: second })).rejects.toThrow(/two\.py has changed: its SHA-256 is/);
});

test("a folder without a plan is told", () => {
  expect(() => planAgain(out)).toThrow(/is neither a sweep nor an experiment/);
});
