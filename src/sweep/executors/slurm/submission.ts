import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { withCode } from "../../../config/own-code.js";
import { durableWrite } from "../../../formats/durable-write.js";
import { checkRunJson, readRunJson } from "../../../runs/read-run-json.js";
import { type LedgerLine, readLedger } from "../../ledger.js";
import { type TrialTask, trialTaskSchema } from "../../pool/trial-task.js";

/** `tasks.json` of a submission: the trials of each task of the job array. */
const tasksSchema = z.strictObject({
  /** Path of the interpreter. */
  python: z.string(),
  /** Directory of the plan. */
  directory: z.string(),
  workers: z.int().positive(),
  failFast: z.boolean(),
  /** By array task. */
  tasks: z.array(z.array(trialTaskSchema).readonly()).readonly(),
});
export type SubmittedTasks = z.output<typeof tasksSchema>;

const jobSchema = z.strictObject({ job: z.string().regex(/^\d+$/) });

const files = { tasks: "tasks.json", job: "job.json", closed: "closed", script: "job.sbatch" } as const;

/** Trials submitted as a job array: a folder in the directory of their plan, with a journal for each task of the array. */
export class Submission {
  /** Absolute path. */
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The submitted and not yet closed submissions of a directory, oldest first. */
  static openIn(directory: string): Submission[] {
    return all(directory)
      .map((folder) => new Submission(folder))
      .filter(({ folder, job }) => job !== undefined && !existsSync(join(folder, files.closed)));
  }

  /** Write a new submission. @param script returns the text of its script, given its folder. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
  static create(tasks: SubmittedTasks, script: (folder: string) => string): Submission {
    const last = all(tasks.directory).at(-1);
    const isUnused = last !== undefined && new Submission(last).job === undefined; // written, but never submitted
    const folder = isUnused ? last : join(tasks.directory, "slurm", String(all(tasks.directory).length + 1).padStart(4, "0"));
    mkdirSync(folder, { recursive: true });
    durableWrite(
      join(folder, files.tasks),
      `${JSON.stringify({ ...tasks, tasks: tasks.tasks.map((trials) => trials.map((trial) => withSharedCode(trial, folder))) })}\n`,
    );
    durableWrite(join(folder, files.script), script(folder));
    return new Submission(folder);
  }

  get script(): string {
    return join(this.folder, files.script);
  }

  /** Number of the job array; undefined before it is submitted. */
  get job(): string | undefined {
    return existsSync(join(this.folder, files.job)) ? checkRunJson(this.folder, files.job, jobSchema, readRunJson(this.folder, files.job)).job : undefined;
  }

  /** @throws {BhBridgeError} `RUN_CORRUPT`. */
  get tasks(): SubmittedTasks {
    return checkRunJson(this.folder, files.tasks, tasksSchema, readRunJson(this.folder, files.tasks));
  }

  /** The trials of each array task, without validating the file: quick to read. */
  get trials(): string[][] {
    const { tasks } = JSON.parse(readFileSync(join(this.folder, files.tasks), "utf8")) as { tasks: { trial: string }[][] };
    return tasks.map((each) => each.map(({ trial }) => trial));
  }

  submitted(job: string): void {
    durableWrite(join(this.folder, files.job), `${JSON.stringify({ job })}\n`);
  }

  /** Hand the trials back to the ledger, after copying the journals. */
  close(): void {
    durableWrite(join(this.folder, files.closed), "");
  }

  /** The newest line of each trial in the journals. @throws {BhBridgeError} `RUN_CORRUPT`, `FILE_UNREADABLE`. */
  journal(): Map<string, LedgerLine> {
    return new Map(this.trials.flatMap((_, index) => [...readLedger(this.folder, journalName(index + 1))]));
  }
}

/** A trial whose code is in files of the submission, once for all trials. */
function withSharedCode(trial: TrialTask, folder: string): TrialTask {
  const config = withCode(trial.config, ({ sha256, source }) => {
    const path = join(folder, `${sha256}.py`);
    if (!existsSync(path)) durableWrite(path, source);
    return { path, sha256 };
  });
  return { ...trial, config };
}

/** The journal file of an array task. @param task from 1. */
export function journalName(task: number): string {
  return `journal-${task}.jsonl`;
}

function all(directory: string): string[] {
  const folder = join(directory, "slurm");
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^\d{4,}$/.test(name)) : [];
  return names.sort().map((name) => join(folder, name));
}
