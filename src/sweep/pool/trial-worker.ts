// The process that trains trials, one after the other; started by the workers of an executor. It ends when its controller does.

import { trainTogether } from "./train-together.js";
import { trainTrial } from "./train-trial.js";
import type { TrialListener, TrialTask } from "./trial-task.js";
import { WarmPython } from "./warm-python.js";
import { openWorkerChannel } from "./worker-channel.js";
import type { WorkerOrder } from "./worker-messages.js";

/** Steps are told at most this often: a controller has a line a second to show. */
const reportEveryMs = 250;

let python: WarmPython | undefined;
let stop = new AbortController();

process.on("SIGINT", () => undefined); // Ctrl-C in the terminal is for the controller, which says what to do
const channel = openWorkerChannel(obey, () => process.exit()); // Python sees its Node gone, and ends as well

function obey(order: WorkerOrder): void {
  if (order.kind === "setup") python = new WarmPython(order.setup);
  else if (order.kind === "train") void train(order.task);
  else if (order.kind === "train together") void trainAll(order.tasks);
  else if (order.kind === "stop") stop.abort();
  else void leave();
}

async function train(task: TrialTask): Promise<void> {
  const { warm, signal } = begin();
  const end = await trainTrial(task, warm, listenerOf({}), signal);
  channel.tell({ kind: "ended", end });
}

async function trainAll(tasks: readonly TrialTask[]): Promise<void> {
  const { warm, signal } = begin();
  const ends = await trainTogether(tasks, warm, (place) => listenerOf({ place }), signal);
  for (const [place, end] of ends.entries()) channel.tell({ kind: "ended", place, end });
}

function begin(): { warm: WarmPython; signal: AbortSignal } {
  if (!python) throw new Error("a worker is set up before it trains");
  stop = new AbortController();
  return { warm: python, signal: stop.signal };
}

/** Tells of a trial, by its place where there are several. */
function listenerOf(which: { place?: number }): TrialListener {
  let toldAt = 0;
  return {
    onStart: (run, fromStep) => channel.tell({ kind: "started", ...which, run, fromStep }),
    onStep(step, loss) {
      const now = performance.now();
      if (now - toldAt < reportEveryMs) return;
      toldAt = now;
      channel.tell({ kind: "step", ...which, step, loss });
    },
  };
}

async function leave(): Promise<void> {
  await python?.close();
  channel.close();
}
