import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { conductPlan, conductRounds } from "../../../../src/sweep/conduct-plan.js";
import type { Executor, TrialJob } from "../../../../src/sweep/executors/executor.js";
import { loadSweep } from "../../../../src/sweep/grammar/load-sweep.js";
import type { SweepDefinition } from "../../../../src/sweep/grammar/sweep-schema.js";
import { planSweep } from "../../../../src/sweep/plan/plan-experiment.js";
import type { TrialEnd } from "../../../../src/sweep/pool/trial-task.js";
import { concludeSweep } from "../../../../src/sweep/sweep-summary.js";
import { python, temporaryDirectory } from "../../formats/reference-python.js";
import { sweepTrial } from "../sweep-trial.js";

const interpreter = { path: python } as Parameters<typeof conductPlan>[1];
const { result } = sweepTrial({}, 2);
if (!result) throw new Error("a completed trial has a result");

/** A loss that is lowest at a learning rate of 1e-3, with a norm that is better than the other. */
const lossOf = (rate: number, norm: unknown) => (Math.log10(rate) + 3) ** 2 + (norm === "layernorm" ? 1 : 0);

/** Trains nothing: each trial ends with the loss of its point, one with a large learning rate in a failure. */
class Landscape implements Executor {
  readonly name = "local";
  readonly isHere = false;
  trained = 0;

  async machine() {
    return { device: "cpu", gpus: 0, cores: 2 } as const;
  }

  async train({ tasks, listener, signal }: TrialJob): Promise<void> {
    for (const task of tasks) {
      if (signal.aborted) return;
      const run = join(task.out, task.trial);
      mkdirSync(run, { recursive: true });
      task.run = run;
      listener.onStart(task, run, 0, { pid: 7, cores: null });
      const { training, model } = task.config;
      const rate = Number(training.learning_rate);
      const end: TrialEnd =
        rate > 5e-2
          ? { kind: "failed", reason: "it diverged" }
          : { kind: "completed", run, result: { ...result, finalLoss: lossOf(rate, model.norm) } as typeof result & object };
      listener.onEnd(task, end);
      this.trained++;
    }
  }
}

const input: SweepDefinition = {
  name: "best",
  base: { preset: "quick", device: "cpu", training: { max_steps: 1 } },
  seeds: [1, 2],
  optuna: {
    ...{ trials: 12, seed: 7, minimize: "finalLoss", together: 3 },
    over: { "training.learning_rate": { log: [1e-5, 1e-1] }, "model.norm": ["layernorm", "rmsnorm"] },
  },
};

async function search(out: string, sources: SweepDefinition = input, stopAfter = Number.POSITIVE_INFINITY) {
  const executor = new Landscape();
  const stop = new AbortController();
  const loaded = await loadSweep({ input: sources });
  const planned = () => planSweep(loaded, { executor, python: interpreter, out });
  let ended = 0;
  const { document } = await conductRounds(
    await planned(),
    planned,
    (plan) =>
      conductPlan(
        plan,
        interpreter,
        executor,
        { out, workers: 2, signal: stop.signal },
        ({ kind }) => kind === "ended" && ++ended >= stopAfter && stop.abort(),
        concludeSweep(plan),
      ),
    { signal: stop.signal },
  );
  return { trials: document.trials, trained: executor.trained };
}

const shortened = (trials: Awaited<ReturnType<typeof search>>["trials"]) => trials.map(({ set, status, result: came }) => [set, status, came?.finalLoss]);

test("a search that was stopped in the middle of its points asks for the same ones as one that was not, and trains none twice", async () => {
  const whole = await search(temporaryDirectory());
  expect(whole.trials).toHaveLength(24);
  expect(whole.trained).toBe(24);
  const out = temporaryDirectory();
  const parts = [await search(out, input, 8), await search(out, input, 3), await search(out)];
  expect(parts.map(({ trained }) => trained)).toEqual([8, 3, 13]);
  expect(shortened(parts[2]?.trials ?? [])).toEqual(shortened(whole.trials));
  expect((await search(out)).trained).toBe(0);
  const more = await search(out, { ...input, optuna: { ...input.optuna, trials: 13 } as NonNullable<SweepDefinition["optuna"]> });
  expect([more.trained, readdirSync(out).length]).toEqual([2, 1]);
  const plan = JSON.parse(readFileSync(join(out, readdirSync(out)[0] ?? "", "plan.json"), "utf8"));
  expect(plan.trials.slice(0, 24).map(({ set }: { set: object }) => set)).toEqual(whole.trials.map(({ set }) => set));
}, 300_000);

test("its later points are nearer to what is sought than its first ones", async () => {
  const { trials } = await search(temporaryDirectory(), {
    ...input,
    seeds: [1],
    optuna: { ...input.optuna, trials: 32, together: 4 } as NonNullable<SweepDefinition["optuna"]>,
  });
  const losses = trials.map(({ set }) => lossOf(Number(set["training.learning_rate"]), set["model.norm"]));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean(losses.slice(-12))).toBeLessThan(mean(losses.slice(0, 12)) / 2);
}, 300_000);

test("what cannot be together is told, each with its place", async () => {
  const wrong = loadSweep({
    input: { ...input, grid: { seed: [1] }, optuna: { trials: 2, over: { seed: [1, 2] }, minimize: "C", maximize: "P" } } as SweepDefinition,
  });
  await expect(wrong).rejects.toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining("set either minimize or maximize") });
  const seeds = loadSweep({
    input: { ...input, grid: { "init.sigma": [1] }, optuna: { trials: 2, over: { seed: [1, 2] }, minimize: "C" } } as SweepDefinition,
  });
  await expect(seeds).rejects.toMatchObject({ issues: [expect.objectContaining({ path: "grid" }), expect.objectContaining({ path: "optuna.over.seed" })] });
});
