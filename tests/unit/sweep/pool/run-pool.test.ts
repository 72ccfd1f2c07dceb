import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import { runPool } from "../../../../src/sweep/pool/run-pool.js";
import type { TrialEnd, TrialTask, TrialWorker } from "../../../../src/sweep/pool/trial-task.js";

const config = parseRunConfig({});

function tasksOf(...names: string[]): TrialTask[] {
  return names.map((trial) => ({ trial, config, preset: "quick", corpus: "", out: "", run: null, prune: null }));
}

const completed = (run: string): TrialEnd => ({
  kind: "completed",
  run,
  result: {
    steps: 1,
    seconds: 1,
    finite: true,
    finalLoss: 1,
    census: { rows: 1, unique: 1, C: 0, P: 0, populations: [] },
    displacement: { float64: 0, float32: 0, bfloat16: 0 },
    verdict: { result: "null", reason: "" },
  },
});

/** Carry out tasks with workers that end each trial as `endOf` says; what they did, in order. */
async function carryOut(
  tasks: TrialTask[],
  endOf: (trial: string, attempt: number) => TrialEnd,
  options: { workers?: number; failFast?: boolean; abortAt?: string } = {},
) {
  const told: string[] = [];
  const attempts = new Map<string, number>();
  const stop = new AbortController();
  let started = 0;
  const startWorker = (): TrialWorker => {
    started++;
    let isAlive = true;
    let isStopped = false;
    return {
      location: { pid: started, cores: null },
      get isAlive() {
        return isAlive;
      },
      async train(trainings) {
        if (trainings.length > 1) told.push(`${trainings.map(({ task }) => task.trial).join(" and ")} together`);
        await Promise.resolve();
        return trainings.map(({ task: { trial, run }, listener }) => {
          const attempt = (attempts.get(trial) ?? 0) + 1;
          attempts.set(trial, attempt);
          listener.onStart(run ?? `runs/${trial}`, 0);
          if (options.abortAt === trial) stop.abort();
          const end: TrialEnd = isStopped ? { kind: "stopped" } : endOf(trial, attempt);
          isAlive = end.kind !== "died";
          return end;
        });
      },
      stop() {
        isStopped = true;
      },
      close: async () => undefined,
    };
  };
  const listener = {
    onStart: ({ trial }: TrialTask, run: string) => void told.push(`${trial} starts ${run}`),
    onStep: () => undefined,
    onEnd: ({ trial }: TrialTask, end: TrialEnd) => void told.push(`${trial} ${end.kind}${"reason" in end ? `: ${end.reason}` : ""}`),
  };
  await runPool(tasks, { workers: options.workers ?? 1, startWorker, listener, signal: stop.signal, failFast: options.failFast ?? false });
  return { told, started };
}

test("trials are trained in order, by no more workers than there are trials", async () => {
  const { told, started } = await carryOut(tasksOf("a", "b"), (trial) => completed(trial), { workers: 5 });
  expect(started).toBe(2);
  expect(told.filter((line) => line.endsWith("completed"))).toEqual(["a completed", "b completed"]);
});

test("a trial whose worker dies goes on first, with its run, on a new worker", async () => {
  const { told, started } = await carryOut(tasksOf("a", "b"), (trial, attempt) =>
    trial === "a" && attempt === 1 ? { kind: "died", reason: "SIGKILL" } : completed(trial),
  );
  expect(told).toEqual(["a starts runs/a", "a died: SIGKILL", "a starts runs/a", "a completed", "b starts runs/b", "b completed"]);
  expect(started).toBe(2);
});

test("after three deaths a trial has failed, with its last words, and the others go on", async () => {
  const { told } = await carryOut(tasksOf("a", "b"), (trial) => (trial === "a" ? { kind: "died", reason: "SIGSEGV" } : completed(trial)));
  expect(told.filter((line) => line.startsWith("a ") && !line.includes("starts"))).toEqual([
    "a died: SIGSEGV",
    "a died: SIGSEGV",
    "a failed: its process died 3 times; the last time: SIGSEGV",
  ]);
  expect(told.at(-1)).toBe("b completed");
});

test("a trial that is lost without a fault of its own goes on however often that happens", async () => {
  const { told } = await carryOut(tasksOf("a"), (trial, attempt) => (attempt <= 5 ? { kind: "lost", reason: "the job ended" } : completed(trial)));
  expect(told.filter((line) => line === "a lost: the job ended")).toHaveLength(5);
  expect(told.at(-1)).toBe("a completed");
});

test("one failure does not stop the rest, unless it is told to", async () => {
  const failing = (trial: string): TrialEnd => (trial === "a" ? { kind: "failed", reason: "no" } : completed(trial));
  expect((await carryOut(tasksOf("a", "b"), failing)).told.at(-1)).toBe("b completed");
  expect((await carryOut(tasksOf("a", "b"), failing, { failFast: true })).told).toEqual(["a starts runs/a", "a failed: no"]);
});

test("an abort stops what is under way and begins nothing more", async () => {
  const { told } = await carryOut(tasksOf("a", "b"), (trial) => completed(trial), { abortAt: "a" });
  expect(told).toEqual(["a starts runs/a", "a stopped"]);
});

/** Trials of engine fast whose stack holds so many; `wide` ones have another batch. */
function stackedTasks(stack: number, ...names: string[]): TrialTask[] {
  return tasksOf(...names).map((task, seed) => {
    const batch = task.trial.startsWith("wide") ? 64 : 32;
    return { ...task, config: parseRunConfig({ engine: "fast", stack, seed, training: { per_device_train_batch_size: batch } }) };
  });
}

test("trials of one stack are trained together, in groups of its width, and those of another shape with their like", async () => {
  const { told, started } = await carryOut(stackedTasks(2, "a", "wide b", "c", "wide d", "e"), (trial) => completed(trial));
  expect(started).toBe(1);
  expect(told.filter((line) => line.endsWith("together"))).toEqual(["a and c together", "wide b and wide d together"]);
  expect(told.filter((line) => line.endsWith("completed"))).toHaveLength(5);
});

test("a trial of a stack that fails leaves the others their ends", async () => {
  const { told } = await carryOut(stackedTasks(3, "a", "b", "c"), (trial) => (trial === "b" ? { kind: "failed", reason: "disk" } : completed(trial)));
  expect(told.slice(-3)).toEqual(["a completed", "b failed: disk", "c completed"]);
});

test("a stack whose process dies goes on together, then one by one", async () => {
  const { told } = await carryOut(stackedTasks(2, "a", "b"), (trial, attempt) => (attempt <= 2 ? { kind: "died", reason: "SIGKILL" } : completed(trial)));
  expect(told.filter((line) => /together|starts|completed/.test(line))).toEqual([
    ...["a and b together", "a starts runs/a", "b starts runs/b"],
    ...["a and b together", "a starts runs/a", "b starts runs/b"],
    ...["a starts runs/a", "a completed", "b starts runs/b", "b completed"],
  ]);
});

test("a trial that is not needed is not started, one under way is stopped, and its worker is replaced for the next one", async () => {
  const needs = new Map(["a", "b", "c", "d"].map((trial) => [trial, new AbortController()]));
  const told: string[] = [];
  let started = 0;
  let stopB: (() => void) | undefined;
  const startWorker = (): TrialWorker => {
    const worker = ++started;
    return {
      location: { pid: worker, cores: null },
      isAlive: true,
      async train([training]) {
        const trial = training?.task.trial ?? "";
        told.push(`${trial} starts on ${worker}`);
        if (trial !== "b") return [completed(trial)];
        const stopped = new Promise<void>((resolve) => {
          stopB = resolve;
        });
        for (const each of ["b", "c"]) needs.get(each)?.abort(); // as an ended pair would
        await stopped;
        return [{ kind: "stopped" }];
      },
      stop: () => stopB?.(),
      close: async () => void told.push(`${worker} closed`),
    };
  };
  const listener = {
    onStart: () => undefined,
    onStep: () => undefined,
    onEnd: ({ trial }: TrialTask, { kind }: TrialEnd) => void told.push(`${trial} ${kind}`),
  };
  const demand = { settled: async () => undefined, signalOf: (trial: string) => (needs.get(trial) ?? new AbortController()).signal };
  await runPool(tasksOf("a", "b", "c", "d"), { workers: 1, startWorker, listener, signal: new AbortController().signal, failFast: false, demand });
  expect(told).toEqual(["a starts on 1", "a completed", "b starts on 1", "b stopped", "1 closed", "d starts on 2", "d completed", "2 closed"]);
});
