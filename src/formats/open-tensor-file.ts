import { FileBytes } from "./file-bytes.js";
import { type FileKind, fileKind } from "./file-kind.js";
import { openSafetensors, type TensorFile } from "./safetensors.js";

/**
 * Open one file of tensors, whatever kind it is.
 *
 * @param label how the tensors name their file.
 * @throws {BhBridgeError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FORMAT_INVALID`, `FORMAT_UNSUPPORTED`.
 */
export async function openTensorFile(path: string, label?: string): Promise<TensorFile & { readonly kind: FileKind }> {
  const kind = kindOf(path);
  return { kind, ...openSafetensors(path, label) };
}

function kindOf(path: string): FileKind {
  const file = new FileBytes(path);
  try {
    return fileKind(file);
  } finally {
    file.close();
  }
}
