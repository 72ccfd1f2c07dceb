import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("./programs/echo-worker.ts", import.meta.url));

/** A worker whose starter is no Node. */
function startWorker() {
  return spawn(process.execPath, ["--import", "./scripts/typescript-loader.mjs", program], { stdio: ["pipe", "pipe", "inherit"] });
}

test("orders and reports are lines of JSON on stdin and stdout; a worker that is told to leave ends", async () => {
  const worker = startWorker();
  const reports = createInterface({ input: worker.stdout })[Symbol.asyncIterator]();
  for (const kind of ["stop", "train"]) {
    worker.stdin.write(`${JSON.stringify({ kind })}\n`);
    expect(JSON.parse((await reports.next()).value)).toEqual({ kind: "step", index: 0, step: kind.length, loss: null });
  }
  worker.stdin.write('{"kind":"leave"}\n');
  expect((await once(worker, "exit"))[0]).toBe(0);
});

test("one whose starter has gone is told so", async () => {
  const worker = startWorker();
  worker.stdin.end();
  expect((await once(worker, "exit"))[0]).toBe(7);
});
