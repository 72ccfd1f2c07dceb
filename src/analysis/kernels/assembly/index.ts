// Exports of the kernels: the timeline of a history, and hashes and products of the rows of a matrix that is read in pieces.
import { elementsOf, fillKeys, hashRows as hash, nanElement, rowsEqual, rowsHaveNonfinite, reserve, resetArena } from "./rows";

export {
  configureProducts,
  dotsAddress,
  gather,
  gatheredAddress,
  offsetAddress,
  project,
  rowStride,
  vectorsAddress,
  weightsAddress,
  widen,
} from "./products";
export { carry, configure, nonfiniteAddress, resultsAddress, scan, seen } from "./timeline";

let keys: usize = 0;
let rows: usize = 0;
let hashes: usize = 0;

/** Lay out memory for `capacity` rows of `rowBytes` bytes; returns the address of the rows, or 0 if memory is insufficient. */
export function configureRows(rowBytes: u32, capacity: u32): usize {
  resetArena();
  keys = reserve((<u64>rowBytes + 31) & ~15);
  hashes = reserve(<u64>capacity * 8);
  rows = reserve(<u64>rowBytes * capacity + 16);
  if (rows != 0) fillKeys(keys, rowBytes);
  return rows;
}

/** Address of the hashes of the last `hashRows`: one u64 per row, 0 only for rows with NaN. */
export function hashesAddress(): usize {
  return hashes;
}

/** Hash `count` rows and replace −0 by 0, so that equal rows have equal bytes. */
export function hashRows(kind: i32, count: u32, rowBytes: u32): void {
  hash(kind, rows, count, rowBytes, keys, hashes);
  for (let row: u32 = 0; row < count; row++) {
    const address = hashes + (<usize>row << 3);
    const isNan = rowsHaveNonfinite && (elementsOf(kind, rows + <usize>row * rowBytes, rowBytes) & nanElement) != 0;
    store<u64>(address, isNan ? 0 : load<u64>(address) | 1);
  }
}

/** Whether two of the rows, already hashed, are equal. */
export function rowPairEqual(first: u32, second: u32, rowBytes: u32): bool {
  return rowsEqual(rows + <usize>first * rowBytes, rows + <usize>second * rowBytes, rowBytes);
}
