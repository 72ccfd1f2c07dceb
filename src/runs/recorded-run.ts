import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RecordedRun } from "../analysis/analysis.js";
import { type AnalysisDocument, analysisDocumentSchema } from "../analysis/analysis-document.js";
import { BhBridgeError } from "../errors.js";
import { requireUnchanged, writeCovered } from "./checksums.js";
import { requireRegular } from "./file-types.js";
import { openHistory } from "./open-history.js";
import { readRunDocument } from "./read-run-json.js";
import { readRunConfig } from "./run-config.js";
import { historyFiles, isLaterHistory, recordedName, runFiles } from "./run-layout.js";
import { readRunManifest } from "./run-manifest.js";
import { verifyHistory } from "./verify-history.js";

/** The tensor that a file `history.….safetensors` is of, with the steps where it was recorded later; `wte` for the history of the embedding. */
function storedName(file: string): string {
  return /^history\.(.+)\.safetensors$/.exec(file)?.[1] ?? "wte";
}

/** What a run recorded, by the names of `record.tensors`: the file of each. */
function recordedTensors(directory: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const files = historyFiles(directory);
  const later = files.filter(isLaterHistory);
  for (const file of later) found.set(recordedName(file), file);
  for (const file of files.filter((name) => !later.includes(name))) found.set(storedName(file), file);
  return found;
}

/**
 * The parts of a run that hold a recorded tensor, by the names that `openHistory` takes: the tensor itself where the run recorded it, else each range of steps
 * that was recorded later, in their order.
 * @param name of the tensor, as `record.tensors` has it.
 */
export function recordedParts(directory: string, name: string): string[] {
  const files = historyFiles(directory).filter((file) => recordedName(file) === name);
  const whole = files.find((file) => !isLaterHistory(file));
  if (whole !== undefined) return [storedName(whole)];
  return files.map(storedName).sort((a, b) => firstStepOf(a) - firstStepOf(b));
}

/** The first step of a range, by the name of its tensor. */
function firstStepOf(stored: string): number {
  return Number(/\.(\d+)-\d+$/.exec(stored)?.[1] ?? 0);
}

/**
 * What analyses of a run can look at beside its embedding; nothing where the directory is no run. Configuration and run.json are read when they are asked for,
 * which then throws `RUN_CORRUPT` when they are damaged.
 */
export function recordedRun(directory: string): RecordedRun | undefined {
  if (!existsSync(join(directory, runFiles.manifest)) || !existsSync(join(directory, runFiles.config))) return undefined;
  const tensors = recordedTensors(directory);
  return {
    get config() {
      return readRunConfig(directory);
    },
    get environment() {
      return readRunManifest(directory).environment;
    },
    get goesOn() {
      return readRunManifest(directory).start_from !== null;
    },
    get deadTokens() {
      return readRunManifest(directory).corpus.deadTokens;
    },
    tensors: [...tensors.keys()],
    open: async (tensor) => {
      const file = tensors.get(tensor);
      if (file === undefined) throw new BhBridgeError("TENSOR_NOT_FOUND", `${directory} did not record ${tensor}`);
      return await openHistory(directory, storedName(file));
    },
    damage: async (tensor) => {
      const file = tensors.get(tensor);
      return file === undefined ? [] : (await verifyHistory(join(directory, file))).problems;
    },
  };
}

/** Every analysis of ours begins so, whatever its version. */
const beginning = '{"schema":"bh-bridge/analysis@';

/**
 * Write an analysis into a run, whole or not at all; an older one is replaced, and nothing else is.
 * @returns the file's path.
 * @throws {BhBridgeError} `DISK_FULL`; `FILE_UNWRITABLE`, also where the name is taken by something else.
 */
export function writeAnalysis(directory: string, document: AnalysisDocument): string {
  const path = join(directory, runFiles.analysis);
  requireRegular(path);
  if (existsSync(path) && !readFileSync(path, "utf8").startsWith(beginning)) {
    throw new BhBridgeError("FILE_UNWRITABLE", `${path} was not written by bh-bridge, and is not replaced: move it elsewhere`);
  }
  writeCovered(directory, runFiles.analysis, `${JSON.stringify(document)}\n`);
  return path;
}

/** With the parts of analyses that another program registered. */
const writtenSchema = analysisDocumentSchema.loose();

/** The analysis that was written into a run; nothing where none was. @throws {BhBridgeError} as `readRunDocument` and `requireUnchanged`. */
export function readAnalysis(directory: string): AnalysisDocument | undefined {
  requireUnchanged(directory, runFiles.analysis);
  return readRunDocument(directory, runFiles.analysis, writtenSchema);
}
