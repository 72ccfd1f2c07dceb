import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { BhBridgeError } from "../errors.js";
import { directoryOfRun } from "../runs/resolve-run.js";
import { planFileName, readPlan } from "../sweep/plan/plan-file.js";

/** What a report is about: runs by their directories, or a directory of many. */
export type ReportSubject =
  | { readonly kind: "runs"; readonly runs: readonly string[] }
  | { readonly kind: "experiment"; readonly directory: string }
  | { readonly kind: "sweep"; readonly directory: string };

/**
 * What is meant: one directory of an experiment or a sweep, or one or more runs.
 *
 * @param given paths; names and beginnings of names of runs in `out`.
 * @throws {BhBridgeError} `USAGE` when several directories are given together, or several runs are meant by one name; `RUN_NOT_FOUND`.
 */
export async function reportSubject(given: readonly string[], out: string): Promise<ReportSubject> {
  const many = given.find((path) => existsSync(join(path, planFileName)));
  if (many === undefined) {
    const runs: string[] = [];
    for (const run of given) runs.push(await directoryOfRun(run, out));
    return { kind: "runs", runs: [...new Set(runs)] };
  }
  if (given.length > 1) throw new BhBridgeError("USAGE", `${many} is an experiment or a sweep: a report is of one of them alone, or of runs`);
  const directory = resolve(many);
  return { kind: readPlan(directory).question === null ? "sweep" : "experiment", directory };
}
