import { existsSync } from "node:fs";
import { join } from "node:path";
import { containedFile } from "../formats/contained-file.js";
import { openHfDirectory } from "../formats/hf/hf-directory.js";
import type { Json } from "../formats/read-json.js";
import type { TensorFile } from "../formats/safetensors/safetensors.js";
import { openCheckedHistory } from "./checked-history.js";
import { requireFolder } from "./file-types.js";
import { readRunJson } from "./read-run-json.js";
import { finalFolder, historyFiles, runFiles } from "./run-layout.js";

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
    for (const name of historyFiles(directory)) files.push(openCheckedHistory(containedFile(directory, name), name));
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
    const finalPath = join(directory, finalFolder);
    requireFolder(finalPath);
    if (!existsSync(finalPath)) return { ...histories, metadata };
    const final = openHfDirectory(finalPath);
    const close = (): void => {
      histories.close();
      final.close();
    };
    const finalTensors = final.tensors.map((tensor) => ({ ...tensor, file: `${finalFolder}/${tensor.file}` }));
    return { tensors: [...histories.tensors, ...finalTensors], metadata, close };
  } catch (error) {
    histories.close();
    throw error;
  }
}

function runRecord(directory: string): Record<string, Json> {
  if (!existsSync(join(directory, runFiles.manifest))) return {};
  const record = readRunJson(directory, runFiles.manifest);
  return typeof record === "object" && record !== null && !Array.isArray(record) ? { ...record } : {};
}
