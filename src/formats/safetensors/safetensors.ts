import { basename } from "node:path";
import { FileBytes } from "../file-bytes.js";
import { rawTensor } from "../raw-tensor.js";
import type { Json } from "../read-json.js";
import type { StoredTensor } from "../stored-tensor.js";
import { readSafetensorsHeader } from "./safetensors-header.js";

/** An open file of tensors. */
export interface TensorFile {
  readonly tensors: readonly StoredTensor[];
  readonly metadata: Readonly<Record<string, Json>>;
  close(): void;
}

/**
 * Open a safetensors file: its header is read and checked, no tensor is.
 *
 * @param label how the tensors name their file; the last part of the path by default.
 * @throws {BhBridgeError} `FORMAT_INVALID`, and what `FileBytes` throws.
 */
export function openSafetensors(path: string, label = basename(path)): TensorFile {
  const file = new FileBytes(path);
  try {
    const { entries, metadata } = readSafetensorsHeader(file);
    const tensors = entries.map(({ offset, ...entry }) => rawTensor(file, offset, { ...entry, file: label }));
    return { tensors, metadata, close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}
