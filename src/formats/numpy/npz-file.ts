import { basename } from "node:path";
import { BhBridgeError } from "../../errors.js";
import { FileBytes } from "../file-bytes.js";
import type { TensorFile } from "../safetensors/safetensors.js";
import type { StoredTensor } from "../stored-tensor.js";
import { ZipArchive } from "../zip/zip-archive.js";
import type { ZipEntry } from "../zip/zip-directory.js";
import { npyTensor } from "./npy-file.js";

const suffix = ".npy";

/**
 * Open what `numpy.savez` saved: a zip archive of `.npy` files, each a tensor of the file's name.
 *
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for `numpy.savez_compressed`; what `openNpy` throws.
 */
export function openNpz(path: string, label = basename(path)): TensorFile {
  const file = new FileBytes(path);
  try {
    const archive = new ZipArchive(file);
    const tensors = [...archive.entries.values()].map((entry) => arrayOf(file, archive, entry, label));
    return { tensors, metadata: {}, close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

function arrayOf(file: FileBytes, archive: ZipArchive, entry: ZipEntry, label: string): StoredTensor {
  const { name, bytes, method } = entry;
  if (!name.endsWith(suffix))
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${file.path} holds "${name}" beside its arrays: numpy.savez writes .npy files alone`);
  if (method !== 0) throw new BhBridgeError("FORMAT_UNSUPPORTED", `${file.path} is compressed. Save its arrays with numpy.savez, not with savez_compressed`);
  const start = archive.locate(entry);
  return npyTensor(file, { start, end: start + bytes }, name.slice(0, -suffix.length), label);
}
