import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { parseRunConfig } from "../../../config/parse-run-config.js";
import { isPresetName } from "../../../config/presets.js";
import { durableWrite } from "../../../formats/durable-write.js";
import { checkRunJson, readRunJson } from "../../../runs/read-run-json.js";
import { type LedgerLine, readLedger } from "../../ledger.js";
import type { TrialTask } from "../../pool/trial-task.js";
import { pruneSchema } from "../../prune/prune-condition.js";

const taskSchema = z.strictObject({
  trial: z.string(),
  config: z.record(z.string(), z.json()).transform((config) => parseRunConfig(config)),
  preset: z.string().refine(isPresetName),
  corpus: z.string(),
  out: z.string(),
  run: z.string().nullable(),
  prune: pruneSchema.nullable(),
});

/** `tasks.json` of a submission: what each task of the job array trains. */
const tasksSchema = z.strictObject({
  /** Absolute path of the interpreter. */
  python: z.string(),
  /** That of the plan. */
  directory: z.string(),
  workers: z.int().positive(),
  failFast: z.boolean(),
  /** By task of the array, which counts from 1. */
  tasks: z.array(z.array(taskSchema)),
});
export type SubmittedTasks = Omit<z.output<typeof tasksSchema>, "tasks"> & { tasks: readonly (readonly TrialTask[])[] };

const jobSchema = z.strictObject({ job: z.string().regex(/^\d+$/) });

const files = { tasks: "tasks.json", job: "job.json", closed: "closed", script: "job.sbatch" } as const;

/** Trials that a job array of SLURM was given: a folder in the directory of their plan. Each task of the array has a journal of its own in it. */
export class Submission {
  /** Absolute path. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** The folder of a submission, as the array's script names it. */
  static at(folder: string): Submission {
    return new Submission(folder);
  }

  /** Those of a directory whose trials are theirs until they are closed, the oldest first; one that nobody has submitted has none. */
  static openIn(directory: string): Submission[] {
    return all(directory)
      .map((folder) => new Submission(folder))
      .filter(({ folder, job }) => job !== undefined && !existsSync(join(folder, files.closed)));
  }

  /** A new one for these tasks. @param script the text of its script, by its folder. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
  static create(tasks: SubmittedTasks, script: (folder: string) => string): Submission {
    const last = all(tasks.directory).at(-1);
    const isUnused = last !== undefined && new Submission(last).job === undefined; // written, and never submitted
    const folder = isUnused ? last : join(tasks.directory, "slurm", String(all(tasks.directory).length + 1).padStart(4, "0"));
    mkdirSync(folder, { recursive: true });
    durableWrite(join(folder, files.tasks), `${JSON.stringify(tasks)}\n`);
    durableWrite(join(folder, files.script), script(folder));
    return new Submission(folder);
  }

  /** Absolute path of the script that sbatch takes. */
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

  /** What each task of the array trains, by trial alone: quick to read. */
  get trials(): string[][] {
    const { tasks } = JSON.parse(readFileSync(join(this.folder, files.tasks), "utf8")) as { tasks: { trial: string }[][] };
    return tasks.map((each) => each.map(({ trial }) => trial));
  }

  submitted(job: string): void {
    durableWrite(join(this.folder, files.job), `${JSON.stringify({ job })}\n`);
  }

  /** Its trials are the ledger's from now on; what its journals say has been taken over. */
  close(): void {
    durableWrite(join(this.folder, files.closed), "");
  }

  /** The newest line of each trial in its journals. @throws {BhBridgeError} `RUN_CORRUPT`, `FILE_UNREADABLE`. */
  journal(): Map<string, LedgerLine> {
    return new Map(this.trials.flatMap((_, index) => [...readLedger(this.folder, journalName(index + 1))]));
  }
}

/** The file that a task of an array writes; task counts from 1. */
export function journalName(task: number): string {
  return `journal-${task}.jsonl`;
}

function all(directory: string): string[] {
  const folder = join(directory, "slurm");
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^\d{4,}$/.test(name)) : [];
  return names.sort().map((name) => join(folder, name));
}
