import { createInterface } from "node:readline";
import type { WorkerOrder, WorkerReport } from "./worker-messages.js";

/** How a worker hears its controller. */
interface WorkerChannel {
  tell(report: WorkerReport): void;
  /** Hear no more, so that this process can end. */
  close(): void;
}

/**
 * Open the channel of this process: that of `fork`, or, where its parent is no Node, a line of JSON each way on stdin and stdout.
 *
 * @param onGone called when the other end has closed: whoever starts a worker ends it by dying.
 */
export function openWorkerChannel(onOrder: (order: WorkerOrder) => void, onGone: () => void): WorkerChannel {
  if (process.send) {
    process.on("message", onOrder).on("disconnect", onGone);
    return { tell: (report) => void process.send?.(report), close: () => process.disconnect() };
  }
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => onOrder(JSON.parse(line)));
  process.stdin.on("end", onGone);
  return {
    tell: (report) => void process.stdout.write(`${JSON.stringify(report)}\n`),
    close: () => {
      lines.close();
      process.stdin.destroy();
    },
  };
}
