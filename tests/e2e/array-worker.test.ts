import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { parseRunConfig } from "../../src/config/parse-run-config.js";
import { readRunManifest } from "../../src/runs/run-manifest.js";
import { journalName, Submission } from "../../src/sweep/executors/slurm/submission.js";
import { Ledger } from "../../src/sweep/ledger.js";
import { eventually, projectRoot, temporaryFolder, warmPython } from "./program.js";

// The program of a task of a SLURM job array, without SLURM; tests/e2e/slurm.test.ts has one.
const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const corpus = join(folder.path, "corpus.txt");
writeFileSync(corpus, "It was many and many a year ago, in a kingdom by the sea, that a maiden there lived whom you may know.\n".repeat(8));

function taskOf(trial: string, steps: number) {
  const config = parseRunConfig({
    ...{ device: "cpu", threads: 1, data: { corpus }, checkpoint: { every: 100 } },
    model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 },
    training: { max_steps: steps, per_device_train_batch_size: 4 },
  });
  const sha256 = createHash("sha256").update(readFileSync(corpus)).digest("hex");
  return { trial, config, preset: "quick" as const, corpus: sha256, out: join(folder.path, "runs"), run: null, prune: null };
}

const tasks = [[taskOf("ended", 1), taskOf("left", 600)]];
const submission = Submission.create({ python: warmPython, directory: folder.path, workers: 1, failFast: false, tasks }, () => "");
const journal = join(submission.folder, journalName(1));
const lines = () =>
  readFileSync(journal, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { trial: string; status: string; run: string });

/** Start the program of a task. */
function startTask(number: number) {
  return execa(process.execPath, [join(projectRoot, "dist/sweep/executors/slurm/array-worker.js"), submission.folder, String(number)], { reject: false });
}

test("a task trains only its trials that have not ended; after the notice of its end the same task resumes the run that it began", async () => {
  {
    using ledger = new Ledger(submission.folder, journalName(1));
    ledger.append({ trial: "ended", status: "failed", run: null, reason: "of itself" });
  }
  const first = startTask(1);
  const events = () => {
    const run = lines().find(({ trial }) => trial === "left")?.run;
    return run === undefined ? "" : join(folder.path, run, "events.jsonl");
  };
  const isStepping = () => existsSync(events()) && readFileSync(events(), "utf8").includes('"step_end"');
  expect(await eventually(isStepping, 100_000)).toBe(true);
  first.kill("SIGUSR2");
  const stopped = await first;
  expect(stopped.exitCode, stopped.stderr).toBe(0);
  const [begun] = lines().filter(({ trial }) => trial === "left");
  expect(begun?.status).toBe("running");
  expect(readRunManifest(join(folder.path, begun?.run ?? ""))).toMatchObject({ status: "stopped", reason: "signal" });
  expect(lines().at(-1)?.status).not.toBe("completed");

  const second = await startTask(1);
  expect(second.exitCode, second.stderr).toBe(0);
  expect(lines().at(-1)).toMatchObject({ trial: "left", status: "completed", run: begun?.run, result: { steps: 600 } });
  expect(readRunManifest(join(folder.path, begun?.run ?? ""))).toMatchObject({ status: "completed", resumes: [{ exact: true }] });
  expect(lines().filter(({ trial }) => trial === "ended")).toHaveLength(1);
});

test("a task that the submission does not have is an error that names both", async () => {
  const { exitCode, stderr } = await startTask(3);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`${submission.folder} has no task 3: it has 1`);
});
