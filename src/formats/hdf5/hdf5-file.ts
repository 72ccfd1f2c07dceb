import { basename } from "node:path";
import { BhBridgeError } from "../../errors.js";
import { FileBytes } from "../file-bytes.js";
import { formatInvalid } from "../format-invalid.js";
import { historyTensorNames } from "../history-tensor.js";
import { type Dtype, itemSizes } from "../matrix.js";
import { rowSlabs } from "../row-slabs.js";
import type { RowSource } from "../row-source.js";
import type { TensorFile } from "../safetensors/safetensors.js";
import { rowsAndColumns, type StoredTensor } from "../stored-tensor.js";
import { type Hdf5Dataset, listDatasets } from "./hdf5-listing.js";
import { Hdf5Sandbox } from "./hdf5-sandbox.js";

/** Filters that the library has built in: deflate (gzip), shuffle, Fletcher32. */
const readableFilters: readonly number[] = [1, 2, 3];
/** h5py's own filter, which no other program has. */
const lzfFilter = 32_000;
/** The library holds a whole chunk in its 2 GB of memory. h5py makes chunks of at most 1 MB; a chunk of a whole 10,000 × 64 state in float32 is 2.6 MB. */
const maxChunkBytes = 256 * 2 ** 20;
/** Deflate cannot pack more than 1,032 bytes into one. */
const maxDeflateRatio = 1032;
/** A dataset that was never written takes no space in the file and reads as its fill value; up to this size that is taken for intended. */
const maxUnwrittenBytes = 64 * 2 ** 20;
/** So much is read by one call: the library needs it twice, in its memory and in ours. */
const maxReadBytes = 16 * 2 ** 20;

const integerDtypes: ReadonlyMap<number, readonly [unsigned: Dtype, signed: Dtype]> = new Map([
  [1, ["U8", "I8"]],
  [2, ["U16", "I16"]],
  [4, ["U32", "I32"]],
  [8, ["U64", "I64"]],
]);

/**
 * Open an HDF5 file: its datasets of numbers are listed, no data is read. Integers of a dataset `W` (or one whose attribute `dtype` is
 * "bfloat16") that have 16 bits are bfloat16 numbers.
 *
 * @throws {BhBridgeError} `FORMAT_INVALID`, and what `FileBytes` throws.
 */
export async function openHdf5(path: string, label = basename(path)): Promise<TensorFile> {
  const file = new FileBytes(path);
  let sandbox: Hdf5Sandbox | undefined;
  const close = (): void => {
    sandbox?.close();
    file.close();
  };
  try {
    sandbox = await Hdf5Sandbox.open(file);
    const opened = sandbox;
    const tensors = listDatasets(opened).flatMap((dataset) => storedDataset(file, opened, dataset, label) ?? []);
    return { tensors, metadata: {}, close };
  } catch (cause) {
    close();
    throw asFormatInvalid(path, cause);
  }
}

function storedDataset(file: FileBytes, sandbox: Hdf5Sandbox, dataset: Hdf5Dataset, label: string): StoredTensor | undefined {
  const dtype = datasetDtype(sandbox, dataset);
  const { shape } = dataset.metadata;
  if (!dtype || !shape) return undefined;
  const bytes = shape.reduce((product, length) => product * length, itemSizes[dtype]);
  if (!Number.isSafeInteger(bytes)) throw formatInvalid(file.path, 0, `dataset "${dataset.name}" has a shape whose size overflows: [${shape.join(", ")}]`);
  const unreadable = reasonAgainst(file, dataset, bytes);
  return {
    name: dataset.name,
    dtype,
    shape,
    bytes,
    file: label,
    ...(unreadable && { unreadable }),
    rows() {
      if (unreadable) throw new BhBridgeError("FORMAT_UNSUPPORTED", `dataset "${dataset.name}" of ${file.path} ${unreadable}`);
      return datasetRows(file, sandbox, dataset.name, dtype, shape);
    },
  };
}

/** The dtype of a dataset of numbers; nothing for texts, records and references. */
function datasetDtype(sandbox: Hdf5Sandbox, { name, metadata, saysBfloat16 }: Hdf5Dataset): Dtype | undefined {
  const { H5T_INTEGER, H5T_FLOAT, H5T_ENUM } = sandbox.module.H5T_class_t;
  const { type, size, signed } = metadata;
  if (type === H5T_INTEGER.value) {
    // Histories of bfloat16 weights are saved as their bits, `uint16`: h5py has no bfloat16.
    const isBits = size === 2 && !signed && (saysBfloat16 || historyTensorNames.includes(basename(name)));
    return isBits ? "BF16" : integerDtypes.get(size)?.[signed ? 1 : 0];
  }
  if (type === H5T_FLOAT.value) return size === 2 ? halfFloat(sandbox) : size === 4 ? "F32" : size === 8 ? "F64" : undefined;
  const isBoolean =
    type === H5T_ENUM.value &&
    size === 1 &&
    Object.keys(metadata.enum_type?.members ?? {})
      .sort()
      .join() === "FALSE,TRUE";
  return isBoolean ? "BOOL" : undefined;
}

function halfFloat(sandbox: Hdf5Sandbox): Dtype | undefined {
  const { float16, bfloat16 } = sandbox.halfFloats;
  return float16 === bfloat16 ? undefined : float16 ? "F16" : "BF16";
}

function datasetRows(file: FileBytes, sandbox: Hdf5Sandbox, name: string, dtype: Dtype, shape: readonly number[]): RowSource {
  const { rows, columns } = rowsAndColumns(shape);
  const rowBytes = columns * itemSizes[dtype];
  const rowsPerRead = Math.max(1, Math.floor(maxReadBytes / Math.max(1, rowBytes)));
  return {
    source: file.path,
    dtype,
    rows,
    columns,
    read(first, count, target) {
      for (let row = first; row < first + count; row += rowsPerRead) {
        for (const slab of rowSlabs(shape, row, Math.min(rowsPerRead, first + count - row))) {
          const start = (slab.firstRow - first) * rowBytes;
          readSlab(file.path, sandbox, name, slab, target.subarray(start, start + slab.rows * rowBytes));
        }
      }
    },
  };
}

/** Why a dataset cannot be read, as its header tells, and what to do about it. */
function reasonAgainst(file: FileBytes, { name, metadata, filterIds }: Hdf5Dataset, bytes: number): string | undefined {
  const unknownFilter = filterIds.find((id) => !readableFilters.includes(id));
  if (unknownFilter !== undefined) {
    const what = unknownFilter === lzfFilter ? "LZF" : `HDF5 filter ${unknownFilter}`;
    const copy = `h5py.File("copy.h5", "w")["${name}"] = h5py.File("${basename(file.path)}")["${name}"][()]`;
    return `is packed with ${what}; readable are gzip, shuffle and fletcher32. Copy it in Python: ${copy}`;
  }
  if (metadata.virtual_sources) return "is virtual: its data is in other files. Open those";
  const chunkBytes = (metadata.chunks ?? []).reduce((product, length) => product * length, metadata.size);
  if (metadata.chunks && chunkBytes > maxChunkBytes) return `has chunks of ${chunkBytes} bytes; at most ${maxChunkBytes} are read`;
  if (bytes > maxUnwrittenBytes && bytes > file.size * maxDeflateRatio) return `would take ${bytes} bytes, which the file's ${file.size} cannot hold`;
  return undefined;
}

function readSlab(path: string, sandbox: Hdf5Sandbox, name: string, slab: { offset: number[]; count: number[] }, target: Uint8Array): void {
  if (target.byteLength === 0) return;
  const { module, fileId } = sandbox;
  const address = module._malloc(target.byteLength);
  try {
    const [offset, count, strides] = [slab.offset.map(BigInt), slab.count.map(BigInt), slab.offset.map(() => 1n)];
    const isScalar = slab.offset.length === 0;
    const status = sandbox.run(() =>
      module.get_dataset_data(fileId, `/${name}`, isScalar ? null : count, isScalar ? null : offset, isScalar ? null : strides, BigInt(address)),
    );
    if (status < 0) throw new Error(`dataset "${name}" cannot be read`, { cause: sandbox.diagnosis });
    target.set(module.HEAPU8.subarray(address, address + target.byteLength));
  } catch (cause) {
    throw asFormatInvalid(path, cause);
  } finally {
    module._free(address);
  }
}

/** The library's structures lie all over the file, so its errors have no offset to tell. */
function asFormatInvalid(path: string, cause: unknown): BhBridgeError {
  if (cause instanceof BhBridgeError) return cause;
  return formatInvalid(path, 0, `read as HDF5, ${cause instanceof Error ? cause.message : String(cause)}`, cause);
}
