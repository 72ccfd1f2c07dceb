// The process that trains trials, one after the other; started by the workers of an executor. It ends when its controller does.

import { trainTrial } from "./train-trial.js";
import type { TrialTask } from "./trial-task.js";
import { WarmPython } from "./warm-python.js";
import type { WorkerOrder, WorkerReport } from "./worker-messages.js";

/** Steps are told at most this often: a controller has a line a second to show. */
const reportEveryMs = 250;

let python: WarmPython | undefined;
let stop = new AbortController();

process.on("SIGINT", () => undefined); // Ctrl-C in the terminal is for the controller, which says what to do
process.on("disconnect", () => process.exit()); // Python sees its Node gone, and ends as well
process.on("message", (order: WorkerOrder) => {
  if (order.kind === "setup") python = new WarmPython(order.setup);
  else if (order.kind === "train") void train(order.task);
  else if (order.kind === "stop") stop.abort();
  else void leave();
});

async function train(task: TrialTask): Promise<void> {
  if (!python) throw new Error("a worker is set up before it trains");
  stop = new AbortController();
  let toldAt = 0;
  const end = await trainTrial(
    task,
    python,
    {
      onStart: (run, fromStep) => tell({ kind: "started", run, fromStep }),
      onStep(step, loss) {
        const now = performance.now();
        if (now - toldAt < reportEveryMs) return;
        toldAt = now;
        tell({ kind: "step", step, loss });
      },
    },
    stop.signal,
  );
  tell({ kind: "ended", end });
}

async function leave(): Promise<void> {
  await python?.close();
  process.disconnect();
}

function tell(report: WorkerReport): void {
  process.send?.(report);
}
