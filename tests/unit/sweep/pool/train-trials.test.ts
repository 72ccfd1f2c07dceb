import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import { resolvePython } from "../../../../src/python/require-packages.js";
import { trainTrials, WarmPython } from "../../../../src/sweep/pool/train-trial.js";
import type { TrialTask } from "../../../../src/sweep/pool/trial-task.js";
import { python, temporaryDirectory } from "../../formats/reference-python.js";

const out = temporaryDirectory();
const corpus = join(out, "corpus.txt");
writeFileSync(corpus, "It was many and many a year ago, in a kingdom by the sea, that a maiden there lived whom you may know.\n".repeat(8));
const sha256 = createHash("sha256").update(readFileSync(corpus)).digest("hex");
const warm = new WarmPython({ python: await resolvePython({ python }), cores: null, gpu: null });
afterAll(() => warm.close());

/** Train trials of a stack that holds three; who was told of which run, and their ends. */
async function train(...tasks: Partial<TrialTask>[]) {
  const config = parseRunConfig({
    device: "cpu",
    threads: 1,
    engine: "fast",
    stack: 3,
    data: { corpus },
    model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 },
    training: { max_steps: 3, per_device_train_batch_size: 4 },
  });
  const runs = new Map<number, string>();
  const trainings = tasks.map((task, place) => ({
    task: { trial: "t", config, preset: "quick" as const, corpus: sha256, out, run: null, prune: null, ...task },
    listener: { onStart: (run: string) => void runs.set(place, run), onStep: () => undefined },
  }));
  return { runs, ends: await trainTrials(trainings, warm, new AbortController().signal) };
}

test("each trial of a stack has its end in its place, and one that fails leaves the others theirs", async () => {
  const { runs, ends } = await train({}, { corpus: "0".repeat(64) }, {});
  expect(ends).toMatchObject([
    { kind: "completed", run: runs.get(0), result: { steps: 3 } },
    { kind: "failed", reason: expect.stringContaining("has changed since") },
    { kind: "completed", run: runs.get(2), result: { steps: 3 } },
  ]);
});

test("one trial is a list of one, whatever its stack", async () => {
  const { runs, ends } = await train({});
  expect(ends).toMatchObject([{ kind: "completed", run: runs.get(0), result: { steps: 3 } }]);
});
