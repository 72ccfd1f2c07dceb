import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { parseRunConfig } from "../../../../../src/config/parse-run-config.js";
import type { UsablePython } from "../../../../../src/python/require-packages.js";
import type { TrialJob } from "../../../../../src/sweep/executors/executor.js";
import { SlurmExecutor } from "../../../../../src/sweep/executors/slurm/slurm-executor.js";
import { journalName, Submission } from "../../../../../src/sweep/executors/slurm/submission.js";
import { Ledger } from "../../../../../src/sweep/ledger.js";
import type { TrialTask } from "../../../../../src/sweep/pool/trial-task.js";
import { temporaryDirectory } from "../../../formats/reference-python.js";
import { sweepTrial } from "../../sweep-trial.js";

const path = process.env["PATH"];
afterEach(() => {
  process.env["PATH"] = path;
});

/** Programs in the place of SLURM's, which tests/e2e/slurm.test.ts has: sbatch gives job 17, and no job waits or runs. */
function emptySlurm(): string {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, "sbatch"), `#!/bin/sh\necho "$@" >> ${folder}/submitted\necho 17\n`);
  writeFileSync(join(folder, "squeue"), "#!/bin/sh\n");
  for (const name of ["sbatch", "squeue"]) chmodSync(join(folder, name), 0o755);
  process.env["PATH"] = `${folder}:${path}`;
  return folder;
}

const python = { path: "/python" } as UsablePython;

function job(trials: readonly string[]) {
  const heard: string[] = [];
  const directory = temporaryDirectory();
  const rest = { config: parseRunConfig({}), preset: "quick", corpus: "c", out: join(directory, "runs"), run: null, prune: null } as const;
  const tasks: TrialTask[] = trials.map((trial) => ({ trial, ...rest }));
  const listener: TrialJob["listener"] = {
    onStart: ({ trial }, run, _step, { host }) => heard.push(`${trial} started in ${run} on ${host}`),
    onStep: () => undefined,
    onEnd: ({ trial }, end) => heard.push(`${trial} ${end.kind}${"reason" in end ? `: ${end.reason}` : ""}`),
  };
  const machine = { device: "cpu", gpus: 0, cores: 4 } as const;
  const train: TrialJob = { directory, name: "s", tasks, machine, workers: 2, listener, signal: new AbortController().signal, failFast: false };
  return { train, heard, directory };
}

test("with --emit-only a script is written and nothing is submitted", async () => {
  const slurm = emptySlurm();
  const { train, directory } = job(["a", "b", "c"]);
  const executor = new SlurmExecutor(python, { emitOnly: true, jobs: 2 });
  await executor.train(train);
  const script = join(directory, "slurm", "0001", "job.sbatch");
  expect(executor.parting).toContain(`sbatch ${script}`);
  expect(readFileSync(script, "utf8")).toContain("#SBATCH --array=1-2\n");
  expect(existsSync(join(slurm, "submitted"))).toBe(false);
});

test("with --detach the job is submitted and its trials are left to it; they are not submitted twice", async () => {
  const slurm = emptySlurm();
  const { train, directory } = job(["a", "b", "c"]);
  const executor = new SlurmExecutor(python, { detach: true, jobs: 2 });
  await executor.train(train);
  await executor.train(train);
  expect(executor.parting).toMatch(/^SLURM's job 17 trains them\./);
  expect(readFileSync(join(slurm, "submitted"), "utf8").trim().split("\n")).toHaveLength(1);
  expect(Submission.openIn(directory).map(({ trials }) => trials)).toEqual([[["a"], ["b", "c"]]]);
});

test("the journals are reported; with the end of the job a running trial has died and one that never started is left", async () => {
  emptySlurm();
  const { train, heard, directory } = job(["a", "b", "c"]);
  await new SlurmExecutor(python, { detach: true, jobs: 1 }).train(train);
  const [submission] = Submission.openIn(directory);
  {
    using journal = new Ledger(submission?.folder ?? "", journalName(1));
    const { result } = sweepTrial({}, 1);
    journal.append({ trial: "a", status: "completed", run: "runs/a", ...(result && { result }) });
    journal.append({ trial: "b", status: "running", run: "runs/b", worker: { pid: 1, cores: null, host: "node1" } });
  }
  await new SlurmExecutor(python, {}).train(train);
  expect(heard).toEqual(["a completed", `b started in ${join(directory, "runs/b")} on node1`, "b died: SLURM's job 17 ended", "c stopped"]);
  expect(Submission.openIn(directory)).toEqual([]);
});
