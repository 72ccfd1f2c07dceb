import { basename } from "node:path";
import type { Metadata } from "h5wasm";
import { BhBridgeError } from "../../errors.js";
import { FileBytes, formatInvalid } from "../file-bytes.js";
import { historyTensorNames } from "../history.js";
import { type Dtype, itemSizes, type RowSource } from "../matrix.js";
import type { TensorFile } from "../safetensors/safetensors.js";
import { rowSlabs, rowsAndColumns, type StoredTensor } from "../stored-tensor.js";
import { Hdf5Sandbox } from "./hdf5-sandbox.js";

/** Maximum depth of groups; a group that contains itself nests without end. */
const maxGroupDepth = 32;
/** Maximum number of listed objects: a trajectory has a few, a saved Keras model some hundreds. */
const maxObjects = 100_000;

/** A dataset as the library describes it. */
export interface Hdf5Dataset {
  readonly name: string;
  readonly metadata: Metadata;
  readonly filterIds: readonly number[];
  /** Whether an attribute `dtype` says that its integers are the bits of bfloat16 numbers. */
  readonly saysBfloat16: boolean;
}

/**
 * Every dataset that links inside the file lead to, named by its path without the leading slash. Throws an `Error` for groups that nest too deep (or hold
 * themselves) and for too many objects.
 */
export function listDatasets(sandbox: Hdf5Sandbox): Hdf5Dataset[] {
  const datasets: Hdf5Dataset[] = [];
  let objects = 0;
  const visit = (group: string, depth: number): void => {
    if (depth > maxGroupDepth) throw new Error(`its groups nest deeper than ${maxGroupDepth}, or hold themselves`);
    for (const key of sandbox.run((module) => module.get_names(sandbox.fileId, group, false))) {
      if (++objects > maxObjects) throw new Error(`it has more than ${maxObjects} objects`);
      const path = group === "/" ? `/${key}` : `${group}/${key}`;
      const type = sandbox.run((module) => module.get_type(sandbox.fileId, path));
      if (type === sandbox.module.H5G_GROUP) visit(path, depth + 1);
      else if (type === sandbox.module.H5G_DATASET) datasets.push(describe(sandbox, path));
    }
  };
  visit("/", 0);
  return datasets;
}

function describe(sandbox: Hdf5Sandbox, path: string): Hdf5Dataset {
  const { fileId } = sandbox;
  return sandbox.run((module) => ({
    name: path.slice(1),
    metadata: module.get_dataset_metadata(fileId, path),
    filterIds: module.get_dataset_filters(fileId, path).map((filter) => filter.id),
    saysBfloat16: module.get_attribute_names(fileId, path).includes("dtype") && sandbox.textAttribute(path, "dtype") === "bfloat16",
  }));
}

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
/** Maximum read of one call, which is held twice, in the library's memory and in ours. */
const maxReadBytes = 16 * 2 ** 20;

/**
 * A packed dataset is read only if reading all of it unpacks at most this much, or this multiple of the file size. Chunks that span many rows are unpacked
 * once for each read that touches them, and a small file could keep a machine busy for days.
 */
const maxUnpackedBytes = 32 * 2 ** 30;
const maxUnpackedRatio = 256;

const integerDtypes: ReadonlyMap<number, readonly [unsigned: Dtype, signed: Dtype]> = new Map([
  [1, ["U8", "I8"]],
  [2, ["U16", "I16"]],
  [4, ["U32", "I32"]],
  [8, ["U64", "I64"]],
]);

/**
 * Open an HDF5 file: its datasets of numbers are listed, no data is read. Integers of a dataset `W` (or one whose attribute `dtype` is "bfloat16") that have 16
 * bits are bfloat16 numbers.
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
      return datasetRows(file, sandbox, dataset, dtype, shape);
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

function datasetRows(file: FileBytes, sandbox: Hdf5Sandbox, dataset: Hdf5Dataset, dtype: Dtype, shape: readonly number[]): RowSource {
  const { rows, columns } = rowsAndColumns(shape);
  const rowBytes = columns * itemSizes[dtype];
  const rowsPerRead = Math.max(1, Math.floor(maxReadBytes / Math.max(1, rowBytes)));
  const unpacked = unpackedBytes(dataset, shape);
  let block: { readonly first: number; readonly bytes: Uint8Array } | undefined;
  const readAll = (first: number, count: number, target: Uint8Array): void => {
    for (let row = first; row < first + count; row += rowsPerRead) {
      for (const slab of rowSlabs(shape, row, Math.min(rowsPerRead, first + count - row))) {
        const start = (slab.firstRow - first) * rowBytes;
        readSlab(file.path, sandbox, dataset.name, slab, target.subarray(start, start + slab.rows * rowBytes));
      }
    }
  };
  /** The rows around one, which cost no more to unpack than it does. */
  const blockOf = (row: number) => {
    const first = row - (row % rowsPerRead);
    if (block?.first !== first) {
      const bytes = new Uint8Array(Math.min(rowsPerRead, rows - first) * rowBytes);
      readAll(first, bytes.byteLength / rowBytes, bytes);
      block = { first, bytes };
    }
    return block;
  };
  return {
    source: file.path,
    dtype,
    rows,
    columns,
    read(first, count, target) {
      if (count >= rowsPerRead || unpacked(first, count) <= maxReadBytes) return readAll(first, count, target);
      for (let row = first; row < first + count; ) {
        const { first: start, bytes } = blockOf(row);
        const part = bytes.subarray((row - start) * rowBytes, (first + count - start) * rowBytes);
        target.set(part, (row - first) * rowBytes);
        row += part.byteLength / rowBytes;
      }
    },
  };
}

/** How many bytes a read of rows unpacks: the whole chunks that it touches; none where nothing is packed. */
function unpackedBytes({ metadata, filterIds }: Hdf5Dataset, shape: readonly number[]): (first: number, count: number) => number {
  const { chunks, size } = metadata;
  if (!chunks || filterIds.length === 0) return () => 0;
  const chunkBytes = chunks.reduce((product, length) => product * length, size);
  return (first, count) => {
    let touched = 0;
    for (const { offset, count: lengths } of rowSlabs(shape, first, count)) {
      touched += lengths.reduce((product, length, axis) => {
        const [start, chunk] = [offset[axis] ?? 0, chunks[axis] ?? 1];
        return product * (Math.floor((start + length - 1) / chunk) - Math.floor(start / chunk) + 1);
      }, 1);
    }
    return touched * chunkBytes;
  };
}

/** How many bytes are unpacked when all of a dataset is read; counted no further than the limit. */
function unpackedInAll(dataset: Hdf5Dataset, shape: readonly number[], bytes: number, limit: number): number {
  const { rows } = rowsAndColumns(shape);
  const rowsPerRead = Math.max(1, Math.floor(maxReadBytes / Math.max(1, bytes / Math.max(1, rows))));
  const unpacked = unpackedBytes(dataset, shape);
  let sum = 0;
  for (let row = 0; row < rows && sum <= limit; row += rowsPerRead) {
    const cost = unpacked(row, Math.min(rowsPerRead, rows - row));
    if (cost === 0) return 0;
    sum += cost;
  }
  return sum;
}

/** Why a dataset cannot be read, as its header tells, and what to do about it. */
function reasonAgainst(file: FileBytes, dataset: Hdf5Dataset, bytes: number): string | undefined {
  const { name, metadata, filterIds } = dataset;
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
  const limit = Math.max(maxUnpackedBytes, maxUnpackedRatio * file.size);
  if (metadata.shape && unpackedInAll(dataset, metadata.shape, bytes, limit) > limit) {
    const copy = `h5py.File("copy.h5", "w")["${name}"] = h5py.File("${basename(file.path)}")["${name}"][()]`;
    return `would unpack more than ${limit} bytes, since its chunks of ${chunkBytes} bytes span many rows. Copy it in Python: ${copy}`;
  }
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
