import { batchedRuns } from "../../config/engine-schema.js";
import type { TrialDemand, TrialJob } from "../executors/executor.js";
import { stackOf, type TrialEnd, type TrialTask, type TrialWorker } from "./trial-task.js";

/** A trial whose process died this often fails. */
const deathsThatFail = 3;
/** Batched trials whose process died this often are trained alone: one of them, or memory, may be the cause. */
const deathsTogether = 2;

interface PoolOptions extends Pick<TrialJob, "workers" | "listener" | "signal" | "failFast" | "demand"> {
  /** Start a worker. `slot` counts from 0; the successor of a dead worker has its slot. */
  startWorker(slot: number): TrialWorker;
}

/** Train all needed trials, each on the next free worker. A worker that dies is replaced, and its trial is resumed. */
export async function runPool(tasks: readonly TrialTask[], { workers, startWorker, listener, signal, failFast, demand }: PoolOptions): Promise<void> {
  let queue = [...tasks];
  const deaths = new Map<string, number>();
  let hasFailed = false;

  const afterEnd = (task: TrialTask, reported: TrialEnd) => {
    const died = (deaths.get(task.trial) ?? 0) + (reported.kind === "died" ? 1 : 0);
    deaths.set(task.trial, died);
    const end: TrialEnd =
      reported.kind === "died" && died >= deathsThatFail
        ? { kind: "failed", reason: `its process died ${died} times; the last time: ${reported.reason}` }
        : reported;
    listener.onEnd(task, end);
    hasFailed ||= end.kind === "failed";
    return end.kind === "died" || end.kind === "lost" ? [task] : [];
  };

  const next = async () => {
    await demand?.settled();
    queue = queue.filter(({ trial }) => demand?.signalOf(trial).aborted !== true);
    return takeNext(queue, deaths);
  };

  const work = async (slot: number) => {
    let worker: TrialWorker | undefined;
    const stop = () => worker?.stop();
    signal.addEventListener("abort", stop);
    try {
      for (let tasksNow = await next(); tasksNow.length > 0; tasksNow = await next()) {
        if (signal.aborted || (failFast && hasFailed)) return;
        if (!worker?.isAlive) worker = startWorker(slot);
        const trainer = worker;
        const watch = stopUnneeded(tasksNow, demand, () => trainer.stop());
        const ends = await trainer.train(
          tasksNow.map((task) => ({
            task,
            listener: {
              onStart(run, fromStep) {
                task.run = run;
                listener.onStart(task, run, fromStep, trainer.location);
              },
              onStep: (step, loss) => listener.onStep(task, step, loss),
            },
          })),
        );
        queue.unshift(...tasksNow.flatMap((task, index) => afterEnd(task, ends[index] ?? { kind: "stopped" })));
        if (!watch.end()) continue;
        await trainer.close(); // a stopped worker trains no more
        worker = undefined;
      }
    } finally {
      signal.removeEventListener("abort", stop);
      await worker?.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, tasks.length) }, (_, slot) => work(slot)));
}

/** The next task, with those trained in the same batch. */
function takeNext(queue: TrialTask[], deaths: ReadonlyMap<string, number>): TrialTask[] {
  const first = queue.shift();
  if (!first) return [];
  const stack = stackOf(first);
  const isWanted = (task: TrialTask) => stackOf(task) === stack && (deaths.get(task.trial) ?? 0) < deathsTogether;
  const others = isWanted(first) ? queue.filter(isWanted).slice(0, batchedRuns(first.config) - 1) : [];
  for (const task of others) queue.splice(queue.indexOf(task), 1);
  return [first, ...others];
}

/** Stop a worker as soon as none of its trials is needed. @returns `end`, which ends this and reports whether the worker was stopped. */
function stopUnneeded(tasks: readonly TrialTask[], demand: TrialDemand | undefined, stop: () => void): { end(): boolean } {
  const signals = demand ? tasks.map(({ trial }) => demand.signalOf(trial)) : [];
  const isUnneeded = () => signals.length > 0 && signals.every(({ aborted }) => aborted);
  const check = () => {
    if (isUnneeded()) stop();
  };
  for (const each of signals) each.addEventListener("abort", check);
  return {
    end() {
      for (const each of signals) each.removeEventListener("abort", check);
      return isUnneeded();
    },
  };
}
