import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { loadRunConfig } from "../../../src/bridge/load-run-config.js";
import { trialOfRun } from "../../../src/runs/run-config.js";
import { readRunManifest } from "../../../src/runs/run-manifest.js";
import { type ConductOptions, conductPlan } from "../../../src/sweep/conduct-plan.js";
import type { Executor, TrialJob } from "../../../src/sweep/executors/executor.js";
import { readLedger } from "../../../src/sweep/ledger.js";
import type { Plan } from "../../../src/sweep/plan/plan.js";
import { findPlanDirectory } from "../../../src/sweep/plan/plan-directory.js";
import type { TrialEnd, TrialTask } from "../../../src/sweep/pool/trial-task.js";
import type { TrialEvent } from "../../../src/sweep/sweep-document.js";
import { python, temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";
import { sweepTrial } from "./sweep-trial.js";

const base = await loadRunConfig({});
const { result } = sweepTrial({}, 2);
if (!result) throw new Error("a completed trial has a result");
const interpreter = { path: python } as Parameters<typeof conductPlan>[1];

function planOf(...trials: string[]): Plan {
  const machine = { device: "cpu", gpus: 0, cores: 2 } as const;
  const planned = trials.map((trial, index) => ({ trial, set: { seed: index }, config: base.config, corpus: "" }));
  return { name: "sigma", base, trials: planned, prune: null, question: null, hash: "0123456789ab", machine };
}

const completed = (run: string): TrialEnd => ({ kind: "completed", run, result });

/** An executor that makes a folder for each run, and ends the trials as it is told. */
class Ending implements Executor {
  readonly name = "local";
  readonly isHere = false;
  readonly jobs: TrialJob[] = [];
  readonly #endOf: (task: TrialTask, run: string) => TrialEnd;

  constructor(endOf: (task: TrialTask, run: string) => TrialEnd = (_, run) => completed(run)) {
    this.#endOf = endOf;
  }

  async machine() {
    return { device: "cpu", gpus: 0, cores: 2 } as const;
  }

  async train(job: TrialJob): Promise<void> {
    this.jobs.push(job);
    for (const task of job.tasks) {
      const run = task.run ?? join(task.out, `run-of-${task.trial}`);
      mkdirSync(run, { recursive: true });
      task.run = run;
      job.listener.onStart(task, run, 0, { pid: 7, cores: [1] });
      job.listener.onStep(task, 1, 2.5);
      job.listener.onEnd(task, this.#endOf(task, run));
    }
  }
}

/** Conduct a plan; what was told of it, and what came out. */
async function conduct(out: string, plan: Plan, executor: Executor, options: Omit<ConductOptions, "executor" | "out"> = {}) {
  const events: TrialEvent[] = [];
  const { document, trials } = await conductPlan(
    plan,
    interpreter,
    executor,
    { out, ...options },
    (event) => events.push(event),
    ({ trials: ended }) => ({
      document: { ended: ended.length },
      summary: "# Done\n",
    }),
  );
  return { document, trials, events };
}

test("all trials are trained, told of as it happens, and what was concluded lies in the directory", async () => {
  const out = temporaryDirectory();
  const plan = planOf("a", "b");
  const executor = new Ending();
  const { document, trials, events } = await conduct(out, plan, executor, { workers: 5, failFast: true });
  const directory = findPlanDirectory(out, plan).same ?? "";
  expect(events.map((event) => ("trial" in event ? `${event.kind} ${event.trial.trial} ${event.trial.status}` : event.kind))).toEqual([
    "planned",
    ...["a", "b"].flatMap((trial) => [`started ${trial} running`, `step ${trial} running`, `ended ${trial} completed`]),
  ]);
  expect(events[0]).toMatchObject({ directory, workers: 2, steps: { a: base.config.training.max_steps, b: base.config.training.max_steps } });
  expect(executor.jobs).toMatchObject([{ directory, workers: 5, failFast: true }]);
  expect(trials.map(({ status, run }) => [status, relative(directory, run ?? "")])).toEqual([
    ["completed", "runs/run-of-a"],
    ["completed", "runs/run-of-b"],
  ]);
  expect(readLedger(directory).get("a")).toMatchObject({ status: "completed", run: "runs/run-of-a", result });
  expect(JSON.parse(readFileSync(join(directory, "result.json"), "utf8"))).toEqual(document);
  expect(readFileSync(join(directory, "summary.md"), "utf8")).toBe("# Done\n");
});

test("the same plan again trains what is left, in the same directory, what was begun first", async () => {
  const out = temporaryDirectory();
  const ends: Record<string, TrialEnd> = { b: { kind: "stopped" }, d: { kind: "died", reason: "SIGKILL" } };
  await conduct(out, planOf("a", "b", "d"), new Ending(({ trial }, run) => ends[trial] ?? completed(run)));
  const again = new Ending();
  await conduct(out, planOf("a", "new", "b", "d"), again);
  expect(again.jobs[0]?.tasks.map(({ trial, run }) => [trial, run !== null])).toEqual([
    ["b", true],
    ["d", true],
    ["new", true], // its folder was made when it was its turn
  ]);
  expect(new Set(again.jobs.map(({ directory }) => directory)).size).toBe(1);
  const nothing = new Ending();
  const { events } = await conduct(out, planOf("a", "new", "b", "d"), nothing);
  expect(nothing.jobs[0]?.tasks).toEqual([]);
  expect(events).toMatchObject([{ kind: "planned", workers: 0, steps: {} }]);
});

test("every end is written down with its reason, and a trial that failed on its way is tried again when that is asked for", async () => {
  const out = temporaryDirectory();
  const plan = planOf("failed", "not-finite", "pruned", "stopped", "died");
  const ends: Record<string, TrialEnd> = {
    failed: { kind: "failed", reason: "no disk" },
    "not-finite": { kind: "failed", reason: "weights", result },
    pruned: { kind: "pruned", run: "", result, reason: "C <= 1" },
    stopped: { kind: "stopped" },
    died: { kind: "died", reason: "SIGKILL" },
  };
  const { trials } = await conduct(out, plan, new Ending(({ trial }, run) => ends[trial] ?? completed(run)));
  expect(trials.map(({ trial, status, reason, result: own }) => [trial, status, reason, own !== null])).toEqual([
    ["failed", "failed", "no disk", false],
    ["not-finite", "failed", "weights", true],
    ["pruned", "pruned", "C <= 1", true],
    ["stopped", "planned", null, false],
    ["died", "lost", "SIGKILL", false],
  ]);
  const leftOf = async (retry: boolean) => {
    const executor = new Ending(({ trial }, run) => ends[trial] ?? completed(run));
    await conduct(out, plan, executor, { retry });
    return executor.jobs[0]?.tasks.map(({ trial }) => trial);
  };
  expect(await leftOf(false)).toEqual(["stopped", "died"]);
  expect(await leftOf(true)).toEqual(["failed", "stopped", "died"]);
});

test("a run that a killed controller began, and did not write down, is gone on with", async () => {
  const out = temporaryDirectory();
  await conduct(out, planOf("other"), new Ending());
  const directory = findPlanDirectory(out, planOf()).same ?? "";
  const run = writeRun({ folder: join(directory, "runs"), id: "orphan", status: "running" });
  const trial = trialOfRun(readRunManifest(run));
  const executor = new Ending(() => ({ kind: "stopped" }));
  await conduct(out, planOf("new", trial), executor);
  expect(executor.jobs[0]?.tasks.map(({ trial: each, run: of }) => [each, of])).toEqual([
    [trial, run],
    ["new", join(directory, "runs", "run-of-new")],
  ]);
});

test("two that conduct the same plan at once do not: the second is told who has the directory", async () => {
  const out = temporaryDirectory();
  const plan = planOf("a");
  const within = new Ending((_, run) => completed(run));
  let refused: Promise<unknown> | undefined;
  const outer: Executor = {
    ...{ name: "local", isHere: false, machine: () => within.machine() },
    async train(job) {
      refused = expect(conduct(out, plan, new Ending())).rejects.toMatchObject({ code: "RUN_LOCKED" });
      await refused;
      await within.train(job);
    },
  };
  expect((await conduct(out, plan, outer)).trials[0]?.status).toBe("completed");
  expect(refused).toBeDefined();
  expect(existsSync(join(findPlanDirectory(out, plan).same ?? "", "result.json"))).toBe(true);
});
