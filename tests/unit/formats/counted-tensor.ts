import { type Dtype, itemSizes, type RowSource } from "../../../src/formats/matrix.js";
import type { WritableTensor } from "../../../src/formats/safetensors/safetensors.js";

/** A tensor of the bytes 1, 8, 15, … seen as elements; of booleans, 0 and 1. */
export function countedTensor(name: string, dtype: Dtype, shape: readonly number[]): WritableTensor {
  const columns = shape.at(-1) ?? 1;
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = Uint8Array.from({ length: count * itemSizes[dtype] }, (_, index) => (dtype === "BOOL" ? index % 2 : ((index * 7) % 120) + 1));
  const rowBytes = columns * itemSizes[dtype];
  const rows: RowSource = {
    source: "memory",
    dtype,
    rows: count / columns,
    columns,
    read: (first, rowCount, target) => target.set(bytes.subarray(first * rowBytes, (first + rowCount) * rowBytes)),
  };
  return { name, shape, rows };
}

/** A tensor whose rows cannot be read. */
export function brokenTensor(name: string): WritableTensor {
  const { shape, rows } = countedTensor(name, "F32", [2, 2]);
  return {
    name,
    shape,
    rows: {
      ...rows,
      read() {
        throw new Error("the disk is gone");
      },
    },
  };
}

/** Python's `expected(dtype, shape)`: the same tensor, as torch sees the bytes. */
export const countedInPython = `
import sys, json, torch, numpy as np
names = dict(BF16='bfloat16',F16='float16',F32='float32',F64='float64',I8='int8',U8='uint8',I16='int16',U16='uint16',I32='int32',U32='uint32',I64='int64',U64='uint64',BOOL='bool')
def expected(dtype, shape):
    n = int(np.prod(shape)); t = getattr(torch, names[dtype])
    raw = [i % 2 for i in range(n)] if dtype == "BOOL" else [(i * 7) % 120 + 1 for i in range(n * torch.empty(0, dtype=t).element_size())]
    return torch.tensor(raw, dtype=torch.uint8).view(t).reshape(shape)
`;
