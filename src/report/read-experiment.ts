import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ScanOptions } from "../analysis/scan/observation.js";
import { BhBridgeError } from "../errors.js";
import { readRunDocument } from "../runs/read-run-json.js";
import { noLockHolders } from "../runs/scan-runs.js";
import { concludeExperiment } from "../sweep/experiment/conclude-experiment.js";
import { type ExperimentDocument, experimentDocumentSchema } from "../sweep/experiment/experiment-document.js";
import { earlierLooks } from "../sweep/experiment/looks.js";
import { isJudgedBy } from "../sweep/experiment/rules.js";
import { readPlan } from "../sweep/plan/plan-file.js";
import { readSweep } from "../sweep/read-sweep.js";

const resultFile = "result.json";

/**
 * What an experiment says now: as its `result.json` has it, where that knows all runs that have completed and was judged by the
 * rules of this version; else concluded anew, from the files of the runs.
 *
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`, what reading a run throws; `ABORTED`.
 */
export async function readExperiment(directory: string, scan: ScanOptions = {}): Promise<ExperimentDocument> {
  const { name, question } = readPlan(directory);
  if (question === null) throw new BhBridgeError("USAGE", `${directory} is a sweep, which answers no question`);
  const { trials } = await readSweep(directory, noLockHolders);
  const runOf = new Map(trials.flatMap(({ trial, status, run }) => (status === "completed" && run !== null ? [[trial, run] as const] : [])));
  const runs = question.cells.flatMap(({ arm, trial }) => {
    const run = runOf.get(trial);
    return run === undefined ? [] : [{ arm, directory: run }];
  });
  const written = existsSync(join(directory, resultFile))
    ? readRunDocument(directory, resultFile, z.union([experimentDocumentSchema, z.unknown()]))
    : undefined;
  const known = experimentDocumentSchema.safeParse(written).data;
  const isCurrent = known && known.directory === directory && isJudgedBy(question.rules, known.verdict);
  if (isCurrent && known.control.length + known.treatment.length === runs.length) return known;
  return await concludeExperiment({ directory, name, runs, looks: earlierLooks(known, question.seeds), ...question }, scan);
}
