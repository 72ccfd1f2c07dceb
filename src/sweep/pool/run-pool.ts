import type { JobListener } from "../executors/executor.js";
import type { TrialEnd, TrialTask, TrialWorker } from "./trial-task.js";

/** A trial that took so many processes with it has a cause of its own. */
const deathsThatFail = 3;

interface PoolOptions {
  /** How many workers train side by side. */
  workers: number;
  /** Start a worker; `slot` counts from 0, and the worker that follows a dead one has its slot. */
  startWorker(slot: number): TrialWorker;
  listener: JobListener;
  /** Ends each training after its step, with a checkpoint; nothing more is begun. */
  signal: AbortSignal;
  /** Begin nothing more once a trial has failed. */
  failFast: boolean;
}

/** Train all trials, each on the next worker that is free, and resolve when none is left; a worker that dies is replaced, and its trial gone on with. */
export async function runPool(tasks: readonly TrialTask[], { workers, startWorker, listener, signal, failFast }: PoolOptions): Promise<void> {
  const queue = [...tasks];
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
    if (end.kind === "died") queue.unshift(task);
    hasFailed ||= end.kind === "failed";
  };

  const work = async (slot: number) => {
    let worker: TrialWorker | undefined;
    const stop = () => worker?.stop();
    signal.addEventListener("abort", stop);
    try {
      for (let task = queue.shift(); task; task = queue.shift()) {
        if (signal.aborted || (failFast && hasFailed)) return;
        if (!worker?.isAlive) worker = startWorker(slot);
        const [current, trainer] = [task, worker];
        const end = await trainer.train(current, {
          onStart(run, fromStep) {
            current.run = run;
            listener.onStart(current, run, fromStep, trainer.place);
          },
          onStep: (step, loss) => listener.onStep(current, step, loss),
        });
        afterEnd(current, end);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      await worker?.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, tasks.length) }, (_, slot) => work(slot)));
}
