import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { parseRunConfig } from "../../../../../src/config/parse-run-config.js";
import { cancelSubmissions, settleSubmissions, viewSubmissions } from "../../../../../src/sweep/executors/slurm/slurm-commands.js";
import { journalName, Submission } from "../../../../../src/sweep/executors/slurm/submission.js";
import { Ledger, readLedger } from "../../../../../src/sweep/ledger.js";
import type { TrialTask } from "../../../../../src/sweep/pool/trial-task.js";
import { temporaryDirectory } from "../../../formats/reference-python.js";
import { sweepTrial } from "../../sweep-trial.js";

const path = process.env["PATH"];
afterEach(() => {
  process.env["PATH"] = path;
});

/** Programs of SLURM's names that say this, where there is no SLURM. */
function slurmThatSays(queue: string): string {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, "squeue"), `#!/bin/sh\ncat <<'END'\n${queue}\nEND\n`);
  writeFileSync(join(folder, "scancel"), `#!/bin/sh\necho "$@" >> ${folder}/cancelled\n`);
  for (const name of ["squeue", "scancel"]) chmodSync(join(folder, name), 0o755);
  process.env["PATH"] = `${folder}:${path}`;
  return folder;
}

const task = (trial: string): TrialTask => ({ trial, config: parseRunConfig({}), preset: "quick", corpus: "c", out: "/out", run: null, prune: null });

/** A directory with a job of two tasks: the first has completed `a` and trains `b`, the second waits with `c`. */
function submitted() {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "runs"));
  const tasks = [[task("a"), task("b")], [task("c")]];
  const submission = Submission.create({ python: "/python", directory, workers: 1, failFast: false, tasks }, () => "#!/bin/bash\n");
  expect(Submission.openIn(directory), "not before it is submitted").toEqual([]);
  submission.submitted("17");
  using journal = new Ledger(submission.folder, journalName(1));
  const { result } = sweepTrial({}, 1);
  journal.append({ trial: "a", status: "running", run: "runs/a" });
  journal.append({ trial: "a", status: "completed", run: "runs/a", ...(result && { result }) });
  journal.append({ trial: "b", status: "running", run: "runs/b", worker: { pid: 1, cores: null, host: "node1" } });
  return { directory, submission };
}

test("what the tasks of a job have written is taken into the ledger once, and its trials are left to it", async () => {
  slurmThatSays("17|1|RUNNING|None|node1\n17|2|PENDING|Resources|\n18|1|RUNNING|None|node1\nnot a line");
  const { directory, submission } = submitted();
  using ledger = new Ledger(directory);
  await settleSubmissions({ directory, ledger, executor: "slurm" });
  const written = readFileSync(join(directory, "ledger.jsonl"), "utf8");
  await settleSubmissions({ directory, ledger, executor: "slurm" });
  expect(readFileSync(join(directory, "ledger.jsonl"), "utf8")).toBe(written);
  expect([...readLedger(directory)].map(([trial, { status }]) => [trial, status])).toEqual([
    ["a", "completed"],
    ["b", "running"],
  ]);
  expect(Submission.openIn(directory).map(({ folder }) => folder)).toEqual([submission.folder]);
  await expect(settleSubmissions({ directory, ledger, executor: "local" })).rejects.toThrow(/SLURM's job 17 trains trials of/);
});

test("a job that has ended leaves what it was training to whoever goes on, and is closed", async () => {
  slurmThatSays("");
  const { directory, submission } = submitted();
  using ledger = new Ledger(directory);
  await settleSubmissions({ directory, ledger, executor: "local" });
  expect(ledger.of("a")?.status).toBe("completed");
  expect(ledger.of("b")).toMatchObject({ status: "lost", run: "runs/b", reason: "SLURM's job 17 ended" });
  expect(ledger.of("c")).toBeUndefined();
  expect(existsSync(join(submission.folder, "closed"))).toBe(true);
  expect(Submission.openIn(directory)).toEqual([]);
});

test("its state is told without the lock, by whoever sees the directory", async () => {
  slurmThatSays("17|1|RUNNING|None|node1\n17|2|PENDING|Resources|");
  const { directory } = submitted();
  const { jobs, lines, underWay } = await viewSubmissions(directory);
  expect(jobs).toEqual([
    { job: "17", task: 1, state: "RUNNING", reason: null, nodes: "node1", trials: 2 },
    { job: "17", task: 2, state: "PENDING", reason: "Resources", nodes: null, trials: 1 },
  ]);
  expect(lines.get("b")?.status).toBe("running");
  expect([...underWay]).toEqual(["a", "b", "c"]);
});

test("where SLURM is not, its tasks are unknown, and nothing is called lost", async () => {
  process.env["PATH"] = temporaryDirectory();
  const { directory } = submitted();
  expect((await viewSubmissions(directory)).jobs.map(({ state }) => state)).toEqual(["UNKNOWN", "UNKNOWN"]);
  using ledger = new Ledger(directory);
  await expect(settleSubmissions({ directory, ledger, executor: "slurm" })).rejects.toMatchObject({ code: "EXECUTOR_UNAVAILABLE" });
});

test("cancelling ends the jobs that there are, and no other", async () => {
  const slurm = slurmThatSays("17|1|RUNNING|None|node1\n18|1|RUNNING|None|node1");
  const { directory } = submitted();
  expect(await cancelSubmissions(directory)).toEqual(["17"]);
  expect(readFileSync(join(slurm, "cancelled"), "utf8")).toBe("17\n");
});
