// Hash and compare the rows of a matrix. AssemblyScript, compiled by scripts/build-kernels.mjs.
// A row has `rowBytes` bytes. Its last vector is masked if it is incomplete. The 16 bytes after the last row must be readable.
// Every hash function replaces −0 by 0, so that equal values have equal bytes.

/** Element types, numbered as in `kernelKind` of load-kernels.ts. */
export const integerKind: i32 = 0;
export const bfloat16Kind: i32 = 1;
export const float16Kind: i32 = 2;
export const float32Kind: i32 = 3;
export const float64Kind: i32 = 4;

/** Properties of the last hashed rows together. */
export let rowsHaveNonfinite: bool = false;
export let rowsHaveNonzero: bool = false;

const byteOrder: v128 = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

@inline function tailMask(tailBytes: usize): v128 {
  return i8x16.lt_u(byteOrder, i8x16.splat(<i8>tailBytes));
}

/** Fold four 32-bit sums into 64 well-mixed bits (finaliser of MurmurHash3). */
@inline function fold(sums: v128): u64 {
  let hash = <u64>i64x2.extract_lane(sums, 0) * 0x9e3779b97f4a7c15 + rotl<u64>(<u64>i64x2.extract_lane(sums, 1) * 0xc2b2ae3d27d4eb4f, 31);
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  hash ^= hash >> 33;
  return hash;
}

// The hash is multilinear over 16-bit halves: each is multiplied by the random 16-bit key of its position and summed in 32 bits. No bit of an element
// is lost, and the vectors of a row are independent (Dietzfelbinger 1996).
@inline function addProducts(sums: v128, vector: v128, keys: usize): v128 {
  return i32x4.add(sums, i32x4.dot_i16x8_s(vector, v128.load(keys)));
}

/** The vector at `address`, masked to the `left` bytes of the row. */
@inline function rowVector(address: usize, left: usize): v128 {
  const vector = v128.load(address);
  return left >= 16 ? vector : v128.and(vector, tailMask(left));
}

/** Replace −0 by 0. Bytes of the next row in the last vector are changed as they would be later. */
function rewriteHalves(row: usize, rowBytes: usize): void {
  for (let offset: usize = 0; offset < rowBytes; offset += 16) {
    const vector = v128.load(row + offset);
    v128.store(row + offset, v128.andnot(vector, i16x8.eq(vector, i16x8.splat(-0x8000))));
  }
}

function rewriteSingles(row: usize, rowBytes: usize): void {
  for (let offset: usize = 0; offset < rowBytes; offset += 16) {
    const vector = v128.load(row + offset);
    v128.store(row + offset, v128.andnot(vector, i32x4.eq(vector, i32x4.splat(-0x80000000))));
  }
}

// Each function hashes all rows in its own loop: a call per row would take as long as the hashing.

function hashHalves(rows: usize, count: u32, rowBytes: usize, keys: usize, hashes: usize, infinity: i16): void {
  const magnitude = i16x8.splat(0x7fff);
  let largest = i64x2.splat(0);
  let row = rows;
  for (let index: u32 = 0; index < count; ) {
    let sums = i64x2.splat(0);
    let least = i64x2.splat(0);
    const end = row + rowBytes;
    let at = row;
    let key = keys;
    // Four vectors per iteration, of which typical rows are a multiple: otherwise the loop itself would take a third of the time.
    for (; at + 64 <= end; at += 64, key += 64) {
      const a = v128.load(at);
      const b = v128.load(at, 16);
      const c = v128.load(at, 32);
      const d = v128.load(at, 48);
      least = i16x8.min_s(least, i16x8.min_s(i16x8.min_s(a, b), i16x8.min_s(c, d)));
      largest = i16x8.max_s(largest, i16x8.max_s(v128.and(a, magnitude), v128.and(b, magnitude)));
      largest = i16x8.max_s(largest, i16x8.max_s(v128.and(c, magnitude), v128.and(d, magnitude)));
      const left = i32x4.add(i32x4.dot_i16x8_s(a, v128.load(key)), i32x4.dot_i16x8_s(b, v128.load(key, 16)));
      const right = i32x4.add(i32x4.dot_i16x8_s(c, v128.load(key, 32)), i32x4.dot_i16x8_s(d, v128.load(key, 48)));
      sums = i32x4.add(sums, i32x4.add(left, right));
    }
    for (; at < end; at += 16, key += 16) {
      const vector = rowVector(at, end - at);
      least = i16x8.min_s(least, vector);
      largest = i16x8.max_s(largest, v128.and(vector, magnitude));
      sums = addProducts(sums, vector, key);
    }
    // As an integer, −0 is the minimum.
    if (v128.any_true(i16x8.eq(least, i16x8.splat(-0x8000)))) {
      rewriteHalves(row, rowBytes);
      continue; // with the same row
    }
    store<u64>(hashes + (<usize>index << 3), fold(sums));
    index++;
    row = end;
  }
  rowsHaveNonzero = v128.any_true(largest);
  rowsHaveNonfinite = v128.any_true(i16x8.ge_s(largest, i16x8.splat(infinity)));
}

function hashSingles(rows: usize, count: u32, rowBytes: usize, keys: usize, hashes: usize): void {
  const magnitude = i32x4.splat(0x7fffffff);
  let largest = i64x2.splat(0);
  let row = rows;
  for (let index: u32 = 0; index < count; ) {
    let sums = i64x2.splat(0);
    let least = i64x2.splat(0);
    for (let offset: usize = 0; offset < rowBytes; offset += 16) {
      const vector = rowVector(row + offset, rowBytes - offset);
      least = i32x4.min_s(least, vector);
      largest = i32x4.max_s(largest, v128.and(vector, magnitude));
      sums = addProducts(sums, vector, keys + offset);
    }
    if (v128.any_true(i32x4.eq(least, i32x4.splat(-0x80000000)))) {
      rewriteSingles(row, rowBytes);
      continue; // with the same row
    }
    store<u64>(hashes + (<usize>index << 3), fold(sums));
    index++;
    row += rowBytes;
  }
  rowsHaveNonzero = v128.any_true(largest);
  rowsHaveNonfinite = v128.any_true(i32x4.ge_s(largest, i32x4.splat(0x7f800000)));
}

function hashDoubles(rows: usize, count: u32, rowBytes: usize, keys: usize, hashes: usize): void {
  const sign = i64x2.splat(<i64>0x8000000000000000);
  const magnitude = i64x2.splat(0x7fffffffffffffff);
  const infinity = i64x2.splat(0x7ff0000000000000);
  let nonzero = i64x2.splat(0);
  let nonfinite = i64x2.splat(0);
  let row = rows;
  for (let index: u32 = 0; index < count; index++, row += rowBytes) {
    let sums = i64x2.splat(0);
    for (let offset: usize = 0; offset < rowBytes; offset += 16) {
      const raw = v128.load(row + offset);
      v128.store(row + offset, v128.andnot(raw, i64x2.eq(raw, sign)));
      const vector = rowVector(row + offset, rowBytes - offset);
      const absolute = v128.and(vector, magnitude);
      nonzero = v128.or(nonzero, absolute);
      nonfinite = v128.or(nonfinite, i64x2.ge_s(absolute, infinity));
      sums = addProducts(sums, vector, keys + offset);
    }
    store<u64>(hashes + (<usize>index << 3), fold(sums));
  }
  rowsHaveNonzero = v128.any_true(nonzero);
  rowsHaveNonfinite = v128.any_true(nonfinite);
}

function hashIntegers(rows: usize, count: u32, rowBytes: usize, keys: usize, hashes: usize): void {
  let nonzero = i64x2.splat(0);
  let row = rows;
  for (let index: u32 = 0; index < count; index++, row += rowBytes) {
    let sums = i64x2.splat(0);
    for (let offset: usize = 0; offset < rowBytes; offset += 16) {
      const vector = rowVector(row + offset, rowBytes - offset);
      nonzero = v128.or(nonzero, vector);
      sums = addProducts(sums, vector, keys + offset);
    }
    store<u64>(hashes + (<usize>index << 3), fold(sums));
  }
  rowsHaveNonzero = v128.any_true(nonzero);
  rowsHaveNonfinite = false;
}

/** Hash `count` rows into one u64 each, replace −0 by 0, and set `rowsHave…`. */
export function hashRows(kind: i32, rows: usize, count: u32, rowBytes: usize, keys: usize, hashes: usize): void {
  if (kind == bfloat16Kind) hashHalves(rows, count, rowBytes, keys, hashes, 0x7f80);
  else if (kind == float16Kind) hashHalves(rows, count, rowBytes, keys, hashes, 0x7c00);
  else if (kind == float32Kind) hashSingles(rows, count, rowBytes, keys, hashes);
  else if (kind == float64Kind) hashDoubles(rows, count, rowBytes, keys, hashes);
  else hashIntegers(rows, count, rowBytes, keys, hashes);
}

@inline function differenceAt(first: usize, second: usize): v128 {
  return v128.xor(v128.load(first), v128.load(second));
}

/** Whether two hashed rows have the same bytes. */
export function rowsEqual(first: usize, second: usize, rowBytes: usize): bool {
  let offset: usize = 0;
  // Four vectors per branch: rows with the same hash are nearly always equal, so leaving early saves nothing.
  for (; offset + 64 <= rowBytes; offset += 64) {
    const a = v128.or(differenceAt(first + offset, second + offset), differenceAt(first + offset + 16, second + offset + 16));
    const b = v128.or(differenceAt(first + offset + 32, second + offset + 32), differenceAt(first + offset + 48, second + offset + 48));
    if (v128.any_true(v128.or(a, b))) return false;
  }
  for (; offset < rowBytes; offset += 16) {
    const different = differenceAt(first + offset, second + offset);
    const left = rowBytes - offset;
    if (v128.any_true(left >= 16 ? different : v128.and(different, tailMask(left)))) return false;
  }
  return true;
}

/** Random keys for `bytes` bytes of a row (xorshift64*, a fixed seed), rounded up to whole vectors. */
export function fillKeys(keys: usize, bytes: usize): void {
  let state: u64 = 0x2545f4914f6cdd1d;
  for (let offset: usize = 0; offset < bytes; offset += 8) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    // Odd keys: a difference in a single element never vanishes.
    store<u64>(keys + offset, (state * 0x2545f4914f6cdd1d) | 0x0001000100010001);
  }
}

@inline function isNan<Bits>(bits: Bits, infinity: Bits): bool {
  // Shifting out the sign leaves the doubled magnitude.
  return <Bits>(bits << 1) > <Bits>(infinity << 1);
}

function movedBetween<Bits>(first: usize, second: usize, rowBytes: usize, infinity: Bits): bool {
  for (let offset: usize = 0; offset < rowBytes; offset += sizeof<Bits>()) {
    const a = load<Bits>(first + offset);
    const b = load<Bits>(second + offset);
    if (a != b && !isNan<Bits>(a, infinity) && !isNan<Bits>(b, infinity)) return true;
  }
  return false;
}

/** Whether some component differs between two hashed rows and is a number in both. */
export function rowMoved(kind: i32, first: usize, second: usize, rowBytes: usize): bool {
  if (rowsEqual(first, second, rowBytes)) return false;
  if (kind == bfloat16Kind) return movedBetween<u16>(first, second, rowBytes, 0x7f80);
  if (kind == float16Kind) return movedBetween<u16>(first, second, rowBytes, 0x7c00);
  if (kind == float32Kind) return movedBetween<u32>(first, second, rowBytes, 0x7f800000);
  if (kind == float64Kind) return movedBetween<u64>(first, second, rowBytes, 0x7ff0000000000000);
  return true;
}

/** Bits of `elementsOf`. */
export const finiteElement: i32 = 1;
export const infiniteElement: i32 = 2;
export const nanElement: i32 = 4;

function elementsIn<Bits>(row: usize, rowBytes: usize, infinity: Bits): i32 {
  let elements = 0;
  for (let offset: usize = 0; offset < rowBytes; offset += sizeof<Bits>()) {
    const bits = load<Bits>(row + offset);
    if (isNan<Bits>(bits, infinity)) elements |= nanElement;
    else elements |= <Bits>(bits << 1) == <Bits>(infinity << 1) ? infiniteElement : finiteElement;
  }
  return elements;
}

/** The kinds of elements of one row. Only useful if `rowsHaveNonfinite`. */
export function elementsOf(kind: i32, row: usize, rowBytes: usize): i32 {
  if (kind == bfloat16Kind) return elementsIn<u16>(row, rowBytes, 0x7f80);
  if (kind == float16Kind) return elementsIn<u16>(row, rowBytes, 0x7c00);
  if (kind == float32Kind) return elementsIn<u32>(row, rowBytes, 0x7f800000);
  if (kind == float64Kind) return elementsIn<u64>(row, rowBytes, 0x7ff0000000000000);
  return finiteElement;
}

// The memory of an instance, laid out by the kernel that uses it.

const pageBytes: usize = 65536;

let cursor: usize = 0;

/** Start a new layout, which discards the previous one. */
export function resetArena(): void {
  cursor = (__heap_base + 15) & ~15;
}

/** The address of `bytes` bytes at a multiple of 16, zeroed if the memory is new; 0 if memory is insufficient. */
export function reserve(bytes: u64): usize {
  const address = cursor;
  const end = <u64>address + ((bytes + 15) & ~15);
  if (end > 0xffff0000) return 0;
  const have = <u64>memory.size() * pageBytes;
  if (end > have && memory.grow(<i32>((end - have + pageBytes - 1) / pageBytes)) < 0) return 0;
  cursor = <usize>end;
  return address;
}
