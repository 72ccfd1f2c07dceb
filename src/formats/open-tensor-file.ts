import { basename, extname } from "node:path";
import { BhBridgeError } from "../errors.js";
import { FileBytes } from "./file-bytes.js";
import { openNpy, openNpz } from "./numpy/npy-file.js";
import { openSafetensors, openSharded, type TensorFile } from "./safetensors/safetensors.js";
import { openTorchArchive } from "./torch/torch-archive.js";

const fileKinds = ["safetensors", "safetensors-index", "torch-zip", "hdf5", "npy", "npz"] as const;
export type FileKind = (typeof fileKinds)[number];

const hdf5Signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const npySignature = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const zipSignature = [0x50, 0x4b, 0x03, 0x04];
/** `torch.save` before version 1.6: a pickle of this number (protocol 2, LONG1, ten bytes) comes first. */
const legacyTorchSignature = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const ggufSignature = [0x47, 0x47, 0x55, 0x46];
const gzipSignature = [0x1f, 0x8b];
/** "ustar" stands at this offset of every POSIX tar file, which is how torch saved before 2017. */
const tarMark = { offset: 257, bytes: [0x75, 0x73, 0x74, 0x61, 0x72] };
/** An HDF5 file may start with a block of the user's own, whose size is one of these (the format allows more; h5py writes none). */
const hdf5Offsets = [0, 512, 1024, 2048];

/**
 * What kind of file this is, told from its first bytes; the extension decides only where those cannot.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for kinds that are known and not read, and for everything else.
 */
function fileKind(file: FileBytes): FileKind {
  const head = file.read(0, Math.min(file.size, 4096), "the first bytes");
  const startsWith = (bytes: readonly number[], offset = 0): boolean => bytes.every((byte, index) => head[offset + index] === byte);
  if (hdf5Offsets.some((offset) => startsWith(hdf5Signature, offset))) return "hdf5";
  if (startsWith(npySignature)) return "npy";
  if (startsWith(zipSignature)) return firstEntryName(head).endsWith(".npy") ? "npz" : "torch-zip";
  // Before the pickles: a safetensors header of 128 bytes starts as they do.
  if (head[8] === 0x7b && startsWith([0, 0, 0, 0], 4)) return "safetensors";
  if (startsWith(legacyTorchSignature)) {
    throw unsupported(file.path, "is in the format of torch before 1.6, which is read by executing it. Load it in torch and save it again with torch.save");
  }
  if (startsWith(tarMark.bytes, tarMark.offset))
    throw unsupported(file.path, "is a tar archive. Unpack it, or load it in torch and save it again with torch.save");
  if (head[0] === 0x80) throw unsupported(file.path, "is a bare pickle, which is read by executing it. Save its arrays as safetensors or .npy");
  if (startsWith(ggufSignature)) {
    const load = `AutoModelForCausalLM.from_pretrained(FOLDER, gguf_file="${basename(file.path)}")`;
    throw unsupported(file.path, `is a GGUF file, whose weights are usually quantized. Convert it in Python: ${load}.save_pretrained(OUT)`);
  }
  if (startsWith(gzipSignature)) throw unsupported(file.path, "is compressed with gzip. Unpack it first");
  if (head[0] === 0x7b && extname(file.path) === ".json") return "safetensors-index";
  if (extname(file.path) === ".safetensors") return "safetensors";
  throw unsupported(file.path, "is of no format that can be read: safetensors, a torch archive (.pt, .bin), HDF5, .npy or .npz");
}

/** The name in the header with which a zip archive begins. */
function firstEntryName(head: Uint8Array): string {
  const length = (head[26] ?? 0) + 256 * (head[27] ?? 0);
  return Buffer.from(head.subarray(30, 30 + length)).toString("latin1");
}

function unsupported(path: string, reason: string): BhBridgeError {
  return new BhBridgeError("FORMAT_UNSUPPORTED", `${path} ${reason}.`);
}

/** Open one file of tensors, whatever kind it is. @throws {BhBridgeError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FORMAT_INVALID`, `FORMAT_UNSUPPORTED`. */
export async function openTensorFile(path: string): Promise<TensorFile & { readonly kind: FileKind; readonly inertGlobals?: readonly string[] }> {
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
