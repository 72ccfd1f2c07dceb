import { basename } from "node:path";
import { FileBytes } from "./file-bytes.js";
import { type FileKind, fileKind } from "./file-kind.js";
import { openNpy } from "./numpy/npy-file.js";
import { openNpz } from "./numpy/npz-file.js";
import { openSafetensors, type TensorFile } from "./safetensors/safetensors.js";
import { openSharded } from "./safetensors/sharded-safetensors.js";
import { openTorchArchive } from "./torch/torch-archive.js";

/** An open file of tensors and what it is. */
interface KnownTensorFile extends TensorFile {
  readonly kind: FileKind;
  readonly inertGlobals?: readonly string[];
}

/**
 * Open one file of tensors, whatever kind it is.
 *
 * @throws {BhBridgeError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FORMAT_INVALID`, `FORMAT_UNSUPPORTED`.
 */
export async function openTensorFile(path: string): Promise<KnownTensorFile> {
  const kind = kindOf(path);
  switch (kind) {
    case "safetensors":
      return { kind, ...openSafetensors(path) };
    case "safetensors-index":
      return { kind, ...openSharded(path, basename(path).startsWith("pytorch_model.bin") ? openTorchArchive : openSafetensors) };
    case "torch-zip":
      return { kind, ...openTorchArchive(path) };
    case "npy":
      return { kind, ...openNpy(path) };
    case "npz":
      return { kind, ...openNpz(path) };
    case "hdf5": {
      // Its library is 4 MB of WebAssembly: loaded for those who need it.
      const { openHdf5 } = await import("./hdf5/hdf5-file.js");
      return { kind, ...(await openHdf5(path)) };
    }
  }
}

function kindOf(path: string): FileKind {
  const file = new FileBytes(path);
  try {
    return fileKind(file);
  } finally {
    file.close();
  }
}
