import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { containedFile } from "./contained-file.js";
import { openHfDirectory } from "./hf/hf-directory.js";
import { type Json, readPythonJson } from "./python-json.js";
import { openSafetensors, type TensorFile } from "./safetensors/safetensors.js";

/** The file of a run directory that holds its embedding history. */
export const historyFileName = "history.safetensors";
const runFile = "run.json";
const finalDirectory = "final";
/** The embedding's history, and those of its gradient and moments where they were recorded. */
const historyFilePattern = /^history(?:\..+)?\.safetensors$/;

/** Whether a directory is a run of this package, or began to be one. */
export function isRunDirectory(directory: string): boolean {
  return existsSync(join(directory, runFile)) || existsSync(join(directory, historyFileName));
}

/** Whether a file is a history that a run recorded, and not something else that lies in its directory. */
export function isRecordedHistory(path: string): boolean {
  return historyFilePattern.test(basename(path)) && isRunDirectory(dirname(path));
}

/** The files of a run directory that hold a recorded history, in alphabetical order. */
export function historyFileNames(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => historyFilePattern.test(name))
    .sort();
}

/**
 * Open the recorded histories of a run directory.
 *
 * @throws {BhBridgeError} what the readers of its files throw.
 */
export function openRunHistories(directory: string): TensorFile {
  const files: TensorFile[] = [];
  const close = (): void => {
    for (const file of files) file.close();
  };
  try {
    for (const name of historyFileNames(directory)) files.push(openSafetensors(containedFile(directory, name), name));
    return { tensors: files.flatMap((file) => file.tensors), metadata: {}, close };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Open a run directory: its recorded histories, and the final model's tensors once there is one. `metadata` is its `run.json`.
 *
 * @throws {BhBridgeError} what the readers of its files throw.
 */
export function openRunDirectory(directory: string): TensorFile {
  const histories = openRunHistories(directory);
  try {
    const metadata = runRecord(directory);
    const finalPath = join(directory, finalDirectory);
    if (!existsSync(finalPath)) return { ...histories, metadata };
    const final = openHfDirectory(finalPath);
    const close = (): void => {
      histories.close();
      final.close();
    };
    const finalTensors = final.tensors.map((tensor) => ({ ...tensor, file: `${finalDirectory}/${tensor.file}` }));
    return { tensors: [...histories.tensors, ...finalTensors], metadata, close };
  } catch (error) {
    histories.close();
    throw error;
  }
}

function runRecord(directory: string): Record<string, Json> {
  if (!existsSync(join(directory, runFile))) return {};
  const record = readPythonJson(containedFile(directory, runFile));
  return typeof record === "object" && record !== null && !Array.isArray(record) ? { ...record } : {};
}
