import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseRunConfig } from "../../../../../src/config/parse-run-config.js";
import { resolvePython } from "../../../../../src/python/require-packages.js";
import { readRunManifest } from "../../../../../src/runs/run-manifest.js";
import { LocalWorker } from "../../../../../src/sweep/executors/local/local-executor.js";
import type { TrialEnd, TrialListener, TrialTask } from "../../../../../src/sweep/pool/trial-task.js";
import { python, temporaryDirectory } from "../../../formats/reference-python.js";

const out = temporaryDirectory();
const corpus = join(out, "corpus.txt");
writeFileSync(corpus, "It was many and many a year ago, in a kingdom by the sea, that a maiden there lived whom you may know.\n".repeat(8));
const worker = new LocalWorker({ python: await resolvePython({ python }), cores: null, gpu: null });
afterAll(() => worker.close());

function taskOf(steps: number): TrialTask {
  const config = parseRunConfig({
    device: "cpu",
    threads: 1,
    data: { corpus },
    model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 },
    training: { max_steps: steps, per_device_train_batch_size: 4 },
  });
  const sha256 = createHash("sha256").update(readFileSync(corpus)).digest("hex");
  return { trial: "t", config, preset: "rmsnorm-11.2a", corpus: sha256, out, run: null, prune: null };
}

async function train(task: TrialTask, listener: TrialListener): Promise<TrialEnd | undefined> {
  const [end] = await worker.train([{ task, listener }]);
  return end;
}

const hear = (onStart: (run: string, fromStep: number) => void) => ({ onStart, onStep: () => undefined });
const endless = 5_000;

test("a worker trains, tells where, and trains another", async () => {
  const told: [string, number][] = [];
  const listener = hear((...start) => told.push(start));
  const [first, second] = [await train(taskOf(3), listener), await train(taskOf(4), listener)];
  expect(first).toMatchObject({ kind: "completed", run: told[0]?.[0], result: { steps: 3, finite: true } });
  expect(second).toMatchObject({ kind: "completed", run: told[1]?.[0], result: { steps: 4 } });
  expect(told.map(([, fromStep]) => fromStep)).toEqual([0, 0]);
});

test("a trial whose text has changed since it was planned fails, and the worker goes on", async () => {
  const changed = { ...taskOf(3), corpus: "0".repeat(64) };
  expect(
    await train(
      changed,
      hear(() => undefined),
    ),
  ).toMatchObject({ kind: "failed", reason: expect.stringContaining("has changed since") });
  expect(worker.isAlive).toBe(true);
});

test("one that is told to stop ends its trial after a step, with a run to go on with", async () => {
  let run = "";
  const listener = {
    onStart: (directory: string) => {
      run = directory;
    },
    onStep: () => worker.stop(),
  };
  expect(await train(taskOf(endless), listener)).toEqual({ kind: "stopped" });
  expect(readRunManifest(run)).toMatchObject({ status: "stopped", reason: "signal" });
  expect(existsSync(join(run, "checkpoints"))).toBe(true);
});

test("one that is killed says so, and trains no more", async () => {
  const end = await train(
    taskOf(endless),
    hear(() => process.kill(worker.location.pid, "SIGKILL")),
  );
  expect(end).toMatchObject({ kind: "died", reason: expect.stringContaining("the worker ended with SIGKILL, as the system does when memory runs out") });
  expect(worker.isAlive).toBe(false);
  expect(
    await train(
      taskOf(3),
      hear(() => undefined),
    ),
  ).toMatchObject({ kind: "died" });
});
