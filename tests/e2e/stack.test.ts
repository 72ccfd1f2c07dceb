import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { readRunManifest } from "../../src/runs/run-manifest.js";
import { sweepDocumentSchema } from "../../src/sweep/sweep-document.js";
import { run, temporaryFolder } from "./program.js";
import { tensorBytes } from "./tensor-bytes.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const base = {
  device: "cpu",
  engine: "fast",
  compiled_step: "off",
  model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 },
  training: { max_steps: 20, per_device_train_batch_size: 4, logging_steps: 10 },
  checkpoint: { every: 10 },
};
const file = join(folder.path, "stacked.json");
writeFileSync(file, JSON.stringify({ base: { ...base, stack: 2 }, seeds: "1..3", grid: { "training.learning_rate": [1e-3] } }));

const history = (directory: string) => tensorBytes(join(directory, "history.safetensors"), "embedding_history");

test("the trials of a stack are runs like any other, with the bits that engine fast gives each alone", async () => {
  const { stdout, stderr, exitCode } = await run(["sweep", file, "--workers", "1", "--out", join(folder.path, "sweeps"), "--json"]);
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain("On a CPU batched runs are no faster");
  const { trials } = sweepDocumentSchema.parse(JSON.parse(stdout));
  expect(trials.map(({ status }) => status)).toEqual(["completed", "completed", "completed"]);
  const [, second] = trials;
  const directory = second?.run ?? "";
  expect(readRunManifest(directory)).toMatchObject({
    status: "completed",
    engine: "fast",
    batched_runs: 2,
    step_method: { method: "compiled", used: false, reason: "batched runs are not compiled" },
  });
  const verified = await run(["runs", "verify", directory]);
  expect(verified.exitCode, verified.stderr).toBe(0);
  const config = JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
  config.engine.batched_runs = 1;
  const alone = join(folder.path, "alone.json");
  writeFileSync(alone, JSON.stringify(config));
  const trained = await run(["train", "-c", alone, "--out", join(folder.path, "alone"), "--json"]);
  const { run: other } = trainResultSchema.parse(JSON.parse(trained.stdout));
  expect(history(directory).equals(history(other))).toBe(true);
  const reproduced = await run(["reproduce", directory]);
  expect(reproduced.exitCode, reproduced.stderr).toBe(0);
}, 300_000);

test("a preview measures a whole stack, and takes its trials for trained at the same time", async () => {
  const words = ["sweep", file, "--workers", "2", "--out", join(folder.path, "previewed"), "--dry-run", "--json"];
  const { stdout, stderr, exitCode } = await run(words);
  expect(exitCode, stderr).toBe(0);
  const { cost, counts } = sweepDocumentSchema.parse(JSON.parse(stdout));
  expect(counts.planned).toBe(3);
  expect(cost).toMatchObject({ trials: 3, workers: 2, together: 3 });
  const stepping = 20 / (cost?.stepsPerSecond ?? 0); // a stack of two and one of one, side by side
  expect(cost?.seconds).toBeGreaterThanOrEqual(stepping); // and what comes once for a stack
  expect(existsSync(join(folder.path, "previewed"))).toBe(false);
}, 300_000);

test("a stack that the plan does not fill is refused before anything is made", async () => {
  const { stderr, exitCode } = await run(["sweep", file, "--set", "stack=4", "--out", join(folder.path, "refused")]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("engine.batched_runs is 4, and 3 trials of this plan can be computed together");
});
