// The process that trains trials for an executor's worker. It exits when its controller does.

import { trainTrials, WarmPython } from "./train-trial.js";
import type { TrialListener, TrialTask } from "./trial-task.js";
import { openWorkerChannel, type WorkerOrder } from "./worker-channel.js";

/** Maximum rate of step reports. */
const reportEveryMs = 250;

let python: WarmPython | undefined;
let stop = new AbortController();

process.on("SIGINT", () => undefined); // Ctrl-C in the terminal is for the controller, which sends an order
const channel = openWorkerChannel(obey, () => process.exit()); // Python notices that Node has gone, and exits too

function obey(order: WorkerOrder): void {
  if (order.kind === "setup") python = new WarmPython(order.setup);
  else if (order.kind === "train") void train(order.tasks);
  else if (order.kind === "stop") stop.abort();
  else void leave();
}

async function train(tasks: readonly TrialTask[]): Promise<void> {
  if (!python) throw new Error("a worker is set up before it trains");
  stop = new AbortController();
  const trainings = tasks.map((task, index) => ({ task, listener: listenerOf(index) }));
  const ends = await trainTrials(trainings, python, stop.signal);
  for (const [index, end] of ends.entries()) channel.send({ kind: "ended", index, end });
}

function listenerOf(index: number): TrialListener {
  let reportedAt = 0;
  return {
    onStart: (run, fromStep) => channel.send({ kind: "started", index, run, fromStep }),
    onStep(step, loss) {
      const now = performance.now();
      if (now - reportedAt < reportEveryMs) return;
      reportedAt = now;
      channel.send({ kind: "step", index, step, loss });
    },
  };
}

async function leave(): Promise<void> {
  await python?.close();
  channel.close();
}
