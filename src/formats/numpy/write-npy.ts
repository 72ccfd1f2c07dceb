import { durableCreateFile } from "../durable-write.js";
import { type Dtype, Matrix, rowChunks } from "../matrix.js";
import type { WritableTensor } from "../safetensors/safetensors.js";

/** Whether elements have to be widened for readers that know neither bfloat16 nor float16; float32 holds both exactly. */
export function isHalf(dtype: Dtype): boolean {
  return dtype === "BF16" || dtype === "F16";
}

/** Half-precision elements as the bytes of the same numbers in float32. */
export function widened(dtype: Dtype, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(new Matrix(dtype, [bytes.byteLength / 2], bytes).toFloat32().buffer);
}

/** numpy's names of the types; bfloat16, which it lacks, and float16 become float32, which holds them exactly. */
const descriptions: Readonly<Record<Dtype, string>> = {
  BF16: "<f4",
  F16: "<f4",
  F32: "<f4",
  F64: "<f8",
  I8: "|i1",
  U8: "|u1",
  I16: "<i2",
  U16: "<u2",
  I32: "<i4",
  U32: "<u4",
  I64: "<i8",
  U64: "<u8",
  BOOL: "|b1",
};

/** The data begins at a multiple of this. */
const alignment = 64;
const magic = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0]);
const lengthBytes = 2;

/** Write one tensor as a numpy `.npy` file, version 1. Errors as `writeSafetensors`. */
export function writeNpy(path: string, { shape, rows }: WritableTensor): void {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dict = `{'descr': '${descriptions[rows.dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const start = magic.length + lengthBytes;
  const padded = Math.ceil((start + dict.length + 1) / alignment) * alignment - start;
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt16LE(padded);
  const header = Buffer.concat([magic, length, Buffer.from(`${dict.padEnd(padded - 1)}\n`)]);
  durableCreateFile(path, (write) => {
    write(header);
    for (const { bytes } of rowChunks(rows)) write(isHalf(rows.dtype) ? widened(rows.dtype, bytes) : bytes);
  });
}
