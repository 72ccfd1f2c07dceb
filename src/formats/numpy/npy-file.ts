import { basename } from "node:path";
import { BhBridgeError } from "../../errors.js";
import { FileBytes, formatInvalid } from "../file-bytes.js";
import { type Dtype, itemSizes } from "../matrix.js";
import type { TensorFile } from "../safetensors/safetensors.js";
import { rawTensor, type StoredTensor } from "../stored-tensor.js";
import { isDense, stridedRows } from "../torch/strided-rows.js";
import { ZipArchive } from "../zip/zip-archive.js";
import type { ZipEntry } from "../zip/zip-directory.js";

/** numpy's own limit for a header it reads without being told to trust it is 10,000 characters; the usual one has 118. */
const maxHeaderBytes = 10_000;
/** The format has no name for its array. */
const npyTensorName = "array";
const magic = [0x93, ...Buffer.from("NUMPY")];
/** The magic string and the version. */
const magicBytes = 8;

const dtypesByDescription: ReadonlyMap<string, Dtype> = new Map([
  ["<f2", "F16"],
  ["<f4", "F32"],
  ["<f8", "F64"],
  ["|i1", "I8"],
  ["|u1", "U8"],
  ["<i2", "I16"],
  ["<u2", "U16"],
  ["<i4", "I32"],
  ["<u4", "U32"],
  ["<i8", "I64"],
  ["<u8", "U64"],
  ["|b1", "BOOL"],
]);

interface NpyHeader {
  dtype: Dtype;
  fortranOrder: boolean;
  shape: number[];
  /** Where the data begins. */
  offset: number;
}

/**
 * Open a numpy `.npy` file (versions 1 to 3): one tensor, named `array`.
 * @throws {BhBridgeError} `FORMAT_INVALID`; `FORMAT_UNSUPPORTED` for arrays of objects, records, texts and big-endian numbers.
 */
export function openNpy(path: string, label = basename(path)): TensorFile {
  return openArrays(path, (file) => [npyTensor(file, { start: 0, end: file.size }, npyTensorName, label)]);
}

function openArrays(path: string, arraysIn: (file: FileBytes) => StoredTensor[]): TensorFile {
  const file = new FileBytes(path);
  try {
    return { tensors: arraysIn(file), metadata: {}, close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The array of a `.npy` file, which may lie inside an archive. @throws {BhBridgeError} as `openNpy`. */
function npyTensor(file: FileBytes, { start, end }: { start: number; end: number }, name: string, label: string): StoredTensor {
  const { dtype, fortranOrder, shape, offset } = readHeader(file, start);
  const bytes = shape.reduce((product, length) => product * length, itemSizes[dtype]);
  if (!Number.isSafeInteger(bytes) || offset + bytes !== end) {
    throw formatInvalid(file.path, offset, `a ${dtype} array of shape [${shape.join(", ")}] takes ${bytes} bytes, but ${end - offset} follow`);
  }
  const info = { name, dtype, shape, bytes, file: label };
  const strides = fortranOrder ? shape.map((_, axis) => shape.slice(0, axis).reduce((product, length) => product * length, 1)) : undefined;
  if (!strides || isDense(shape, strides)) return rawTensor(file, offset, info);
  return { ...info, rows: () => stridedRows(file, info.name, { dtype, shape, strides, offset }) };
}

/** numpy writes the three keys in this order, and so does everything that follows its specification ("sorted for reproducibility"). */
const headerPattern =
  /^\{'descr': (?<descr>'[^']*'|\[.*\]), 'fortran_order': (?<order>True|False), 'shape': \((?<shape>|[0-9]+,|[0-9]+(?:, [0-9]+)+)\), \} *\n$/;

function readHeader(file: FileBytes, start: number): NpyHeader {
  const begin = file.read(start, magicBytes, "the version");
  if (!magic.every((byte, index) => begin[index] === byte)) throw formatInvalid(file.path, start, "no .npy file begins here");
  const version = begin[magic.length] ?? 0;
  if (version < 1 || version > 3) throw new BhBridgeError("FORMAT_UNSUPPORTED", `${file.path} has version ${version} of the .npy format; known are 1 to 3`);
  const lengthBytes = version === 1 ? 2 : 4;
  const length = file.read(start + magicBytes, lengthBytes, "the length of the header").reduceRight((sum, byte) => sum * 256 + byte, 0);
  if (length > maxHeaderBytes)
    throw formatInvalid(file.path, start + magicBytes, `the header is said to have ${length} bytes; at most ${maxHeaderBytes} are read`);
  const offset = start + magicBytes + lengthBytes + length;
  const text = Buffer.from(file.read(start + magicBytes + lengthBytes, length, "the header")).toString("utf8");
  const groups = headerPattern.exec(text)?.groups;
  if (!groups) throw formatInvalid(file.path, start + magicBytes, "the header is not a dict of descr, fortran_order and shape");
  const { descr = "", order, shape = "" } = groups;
  const dtype = dtypesByDescription.get(descr.slice(1, -1));
  if (!dtype) {
    const readable = [...dtypesByDescription.keys()].join(", ");
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${file.path} holds elements of the type ${descr}; readable are ${readable}. Convert them with array.astype`);
  }
  const sizes = shape.split(",").filter((part) => part.trim() !== "");
  return { dtype, fortranOrder: order === "True", shape: sizes.map(Number), offset };
}

const suffix = ".npy";

/**
 * Open what `numpy.savez` saved: a zip archive of `.npy` files, each a tensor of the file's name.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for `numpy.savez_compressed`; what `openNpy` throws.
 */
export function openNpz(path: string, label = basename(path)): TensorFile {
  return openArrays(path, (file) => {
    const archive = new ZipArchive(file);
    return [...archive.entries.values()].map((entry) => arrayOf(file, archive, entry, label));
  });
}

function arrayOf(file: FileBytes, archive: ZipArchive, entry: ZipEntry, label: string): StoredTensor {
  const { name, bytes, method } = entry;
  if (!name.endsWith(suffix))
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${file.path} holds "${name}" beside its arrays: numpy.savez writes .npy files alone`);
  if (method !== 0) throw new BhBridgeError("FORMAT_UNSUPPORTED", `${file.path} is compressed. Save its arrays with numpy.savez, not with savez_compressed`);
  const start = archive.locate(entry);
  return npyTensor(file, { start, end: start + bytes }, name.slice(0, -suffix.length), label);
}
