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

/** The tensor of a file `history.….safetensors`, with its steps if recorded later; `wte` for the embedding. */
function storedName(file: string): string {
  return /^history\.(.+)\.safetensors$/.exec(file)?.[1] ?? "wte";
}

/** The file of each recorded tensor by its name in `record.tensors`. */
function recordedTensors(directory: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const files = historyFiles(directory);
  const later = files.filter(isLaterHistory);
  for (const file of later) found.set(recordedName(file), file);
  for (const file of files.filter((name) => !later.includes(name))) found.set(storedName(file), file);
  return found;
}

/**
 * The parts of a recorded tensor, as names for `openHistory`: the tensor if the run recorded it, else each range of steps that was recorded later, in order.
 * @param name of the tensor in `record.tensors`.
 */
export function recordedParts(directory: string, name: string): string[] {
  const files = historyFiles(directory).filter((file) => recordedName(file) === name);
  const whole = files.find((file) => !isLaterHistory(file));
  if (whole !== undefined) return [storedName(whole)];
  return files.map(storedName).sort((a, b) => firstStepOf(a) - firstStepOf(b));
}

function firstStepOf(stored: string): number {
  return Number(/\.(\d+)-\d+$/.exec(stored)?.[1] ?? 0);
}

/**
 * The data of a run for analyses, apart from its embedding; undefined if the directory is not a run. Configuration and run.json are read on access, which
 * throws `RUN_CORRUPT` if they are damaged.
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

/** Beginning of every analysis of bh-bridge, of any version. */
const beginning = '{"schema":"bh-bridge/analysis@';

/**
 * Write an analysis into a run atomically. It replaces only an older analysis.
 * @returns the file's path.
 * @throws {BhBridgeError} `DISK_FULL`; `FILE_UNWRITABLE`, also if another file has the name.
 */
export function writeAnalysis(directory: string, document: AnalysisDocument): string {
  const path = join(directory, runFiles.analysis);
  requireRegular(path);
  if (existsSync(path) && !readFileSync(path, "utf8").startsWith(beginning)) {
    throw new BhBridgeError("FILE_UNWRITABLE", `${path} was not written by bh-bridge and is not replaced: move it elsewhere`);
  }
  writeCovered(directory, runFiles.analysis, `${JSON.stringify(document)}\n`);
  return path;
}

/** Accepts the parts of analyses that other programs registered. */
const writtenSchema = analysisDocumentSchema.loose();

/** The analysis in a run, undefined if there is none. @throws {BhBridgeError} as `readRunDocument` and `requireUnchanged`. */
export function readAnalysis(directory: string): AnalysisDocument | undefined {
  requireUnchanged(directory, runFiles.analysis);
  return readRunDocument(directory, runFiles.analysis, writtenSchema);
}
