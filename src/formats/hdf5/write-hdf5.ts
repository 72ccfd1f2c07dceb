import { durableCreate } from "../durable-write.js";
import { type Dtype, itemSizes, type RowSource } from "../matrix.js";
import { widened } from "../numpy/write-npy.js";
import type { WritableTensor } from "../safetensors/safetensors.js";

type Elements = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | BigUint64Array | BigInt64Array | Float32Array | Float64Array;

type Library = typeof import("h5wasm/node");
type H5Module = Library["Module"];
type H5File = InstanceType<Library["File"]>;

const datasetName = "W";
/** h5py's own chunks are at most as large. */
const matrixChunkBytes = 2 ** 20;

/** zlib's fastest level takes a third of the time of the usual one, for files a few per cent larger. */
const gzipLevel = 1;

/** How elements are handed to the library. bfloat16 stands as its bits, which is how trajectories are saved; float16 becomes float32. */
const elementTypes: Readonly<Record<Dtype, (buffer: ArrayBuffer) => Elements>> = {
  BF16: (buffer) => new Uint16Array(buffer),
  F16: (buffer) => new Float32Array(buffer),
  F32: (buffer) => new Float32Array(buffer),
  F64: (buffer) => new Float64Array(buffer),
  I8: (buffer) => new Int8Array(buffer),
  U8: (buffer) => new Uint8Array(buffer),
  I16: (buffer) => new Int16Array(buffer),
  U16: (buffer) => new Uint16Array(buffer),
  I32: (buffer) => new Int32Array(buffer),
  U32: (buffer) => new Uint32Array(buffer),
  I64: (buffer) => new BigInt64Array(buffer),
  U64: (buffer) => new BigUint64Array(buffer),
  BOOL: (buffer) => new Uint8Array(buffer),
};

/**
 * Write a matrix or a history with at least one element as an HDF5 file with one dataset `W`, gzipped, a chunk a state (of a matrix, about a megabyte).
 * bfloat16 is stored as `uint16` bits with the attribute `dtype` "bfloat16".
 * @throws {BhBridgeError} as `writeSafetensors`.
 */
export async function writeHdf5(path: string, { shape, rows }: WritableTensor): Promise<void> {
  // The build for Node writes to the disk; the other one would hold the file in memory.
  const { ready, File } = await import("h5wasm/node");
  const module = await ready;
  durableCreate(path, (temporaryPath) => {
    const file = new File(temporaryPath, "w");
    let closed = -1;
    try {
      for (const block of eachBlock(shape, rows)) {
        if (block.start === 0) createDataset(file, shape, rows.dtype, block);
        else writeBlock(module, file.file_id, block);
      }
    } finally {
      closed = file.close();
    }
    if (closed < 0) throw new Error("the HDF5 library could not complete the file");
  });
}

/** A part of the tensor: `count` elements along each dimension, from `start` on along the first. */
interface Block {
  readonly start: number;
  readonly count: readonly number[];
  readonly bytes: Uint8Array;
}

function* eachBlock([length = 1, ...inner]: readonly number[], rows: RowSource): Generator<Block> {
  const rowsEach = rows.rows / length;
  const bytesEach = rowsEach * rows.columns * itemSizes[rows.dtype];
  const step = inner.length > 1 ? 1 : Math.min(length, Math.max(1, Math.floor(matrixChunkBytes / bytesEach)));
  for (let start = 0; start < length; start += step) {
    const count = Math.min(step, length - start);
    const bytes = new Uint8Array(count * bytesEach);
    rows.read(start * rowsEach, count * rowsEach, bytes);
    yield { start, count: [count, ...inner], bytes: rows.dtype === "F16" ? widened(rows.dtype, bytes) : bytes };
  }
}

/** The library makes a dataset only with data for all of it: it is made as large as its first block, and then grows. */
function createDataset(file: H5File, shape: readonly number[], dtype: Dtype, { count, bytes }: Block): void {
  const data = elementTypes[dtype](bytes.slice().buffer);
  const chunks = [...count];
  const dataset = file.create_dataset({ name: datasetName, data, shape: chunks, maxshape: [...shape], chunks, compression: gzipLevel });
  if (dtype === "BF16") dataset.create_attribute("dtype", "bfloat16");
  if (dataset.resize([...shape]) < 0) throw new Error("the HDF5 library could not make room for the data");
}

/** The library's own `write_slice` does not say when it fails. */
function writeBlock(module: H5Module, fileId: bigint, { start, count, bytes }: Block): void {
  const address = module._malloc(bytes.byteLength);
  try {
    module.HEAPU8.set(bytes, address);
    const offset = count.map((_, axis) => (axis === 0 ? BigInt(start) : 0n));
    const strides = count.map(() => 1n);
    const status = module.set_dataset_data(fileId, datasetName, count.map(BigInt), offset, strides, BigInt(address));
    if (status < 0) throw new Error("the HDF5 library could not write a block");
  } finally {
    module._free(address);
  }
}
