// Products of the rows of a matrix with vectors, in float32. Rows have a stride of whole vectors, padded with zeros.
import { bfloat16Kind, float16Kind, reserve, resetArena } from "./rows";

let raw: usize = 0;
let values: usize = 0;
let offset: usize = 0;
let vectors: usize = 0;
let dots: usize = 0;
let weights: usize = 0;
let gathered: usize = 0;
let width: usize = 0;
let stride: usize = 0;

/** Lay out memory for `capacity` rows of `columns` elements and `count` vectors; returns the address of the rows, or 0 if memory is insufficient. */
export function configureProducts(columns: u32, itemBytes: u32, capacity: u32, count: u32): usize {
  resetArena();
  width = columns;
  stride = ((<usize>columns + 15) & ~15) * 4;
  offset = reserve(stride);
  vectors = reserve(<u64>stride * count);
  dots = reserve(<u64>capacity * count * 8);
  weights = reserve(<u64>(capacity + 3) * 4);
  gathered = reserve(stride);
  values = reserve(<u64>stride * (capacity + 3));
  raw = reserve(<u64>columns * itemBytes * capacity + 16);
  if (raw != 0) memory.fill(offset, 0, raw - offset);
  return raw;
}

/** Address of the row that `widen` subtracts; of the vectors, `rowStride` bytes apart; of the weights of `gather`; and of the results. */
export function offsetAddress(): usize {
  return offset;
}
export function vectorsAddress(): usize {
  return vectors;
}
export function weightsAddress(): usize {
  return weights;
}
export function dotsAddress(): usize {
  return dots;
}
export function gatheredAddress(): usize {
  return gathered;
}
export function rowStride(): usize {
  return stride;
}

@inline function bfloat(halves: v128): v128 {
  return i32x4.shl(halves, 16);
}

/** Four float16 in 32-bit lanes. Shifting the exponent into place and multiplying by 2^112 is exact; infinities and NaN become infinities. */
@inline function float16(halves: v128): v128 {
  const magnitude = i32x4.shl(v128.and(halves, i32x4.splat(0x7fff)), 13);
  const infinite = v128.and(i32x4.ge_s(magnitude, i32x4.splat(0x7c00 << 13)), i32x4.splat(0x7f800000));
  const value = v128.or(f32x4.mul(magnitude, f32x4.splat(5.192296858534828e33)), infinite);
  return v128.or(value, i32x4.shl(v128.and(halves, i32x4.splat(0x8000)), 16));
}

/** Decode `count` rows into float32 and subtract the offset. */
export function widen(kind: i32, count: u32): void {
  const isHalf = kind == bfloat16Kind || kind == float16Kind;
  const rowBytes = width * (isHalf ? 2 : 4);
  for (let row: usize = 0; row < count; row++) {
    const from = raw + row * rowBytes;
    const to = values + row * stride;
    let column: usize = 0;
    if (isHalf) {
      for (; column < width; column += 8) {
        const halves = v128.load(from + column * 2);
        const low = i32x4.extend_low_i16x8_u(halves);
        const high = i32x4.extend_high_i16x8_u(halves);
        const at = column * 4;
        const first = kind == bfloat16Kind ? bfloat(low) : float16(low);
        const second = kind == bfloat16Kind ? bfloat(high) : float16(high);
        v128.store(to + at, f32x4.sub(first, v128.load(offset + at)));
        v128.store(to + at, f32x4.sub(second, v128.load(offset + at, 16)), 16);
      }
    } else {
      for (; column < width; column += 4) v128.store(to + column * 4, f32x4.sub(v128.load(from + column * 4), v128.load(offset + column * 4)));
    }
    // What was read beyond the row belongs to the next one.
    if (column > width) memory.fill(to + width * 4, 0, stride - width * 4);
  }
}

@inline function sumOf(sums: v128): f64 {
  const low = f64x2.promote_low_f32x4(sums);
  const high = f64x2.promote_low_f32x4(i8x16.shuffle(sums, sums, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
  const both = f64x2.add(low, high);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}

function dot(a: usize, b: usize): f64 {
  let first = f32x4.splat(0);
  let second = f32x4.splat(0);
  let third = f32x4.splat(0);
  let fourth = f32x4.splat(0);
  for (let at: usize = 0; at < stride; at += 64) {
    first = f32x4.add(first, f32x4.mul(v128.load(a + at), v128.load(b + at)));
    second = f32x4.add(second, f32x4.mul(v128.load(a + at, 16), v128.load(b + at, 16)));
    third = f32x4.add(third, f32x4.mul(v128.load(a + at, 32), v128.load(b + at, 32)));
    fourth = f32x4.add(fourth, f32x4.mul(v128.load(a + at, 48), v128.load(b + at, 48)));
  }
  return sumOf(first) + sumOf(second) + sumOf(third) + sumOf(fourth);
}

/** Products of `count` decoded rows with the first `used` vectors, or with themselves if there are none; one row after the other. */
export function project(count: u32, used: u32): void {
  let result = dots;
  for (let row: usize = 0; row < count; row++) {
    const at = values + row * stride;
    if (used == 0) {
      store<f64>(result, dot(at, at));
      result += 8;
    }
    for (let index: usize = 0; index < used; index++, result += 8) store<f64>(result, dot(at, vectors + index * stride));
  }
}

/** The sum of `count` decoded rows, each times its weight. */
export function gather(count: u32): void {
  memory.fill(gathered, 0, stride);
  for (let row: usize = count; row < ((<usize>count + 3) & ~3); row++) store<f32>(weights + row * 4, 0);
  for (let row: usize = 0; row < count; row += 4) {
    const a = values + row * stride;
    const wa = f32x4.splat(load<f32>(weights + row * 4));
    const wb = f32x4.splat(load<f32>(weights + row * 4, 4));
    const wc = f32x4.splat(load<f32>(weights + row * 4, 8));
    const wd = f32x4.splat(load<f32>(weights + row * 4, 12));
    for (let at: usize = 0; at < stride; at += 16) {
      const b = a + stride + at;
      const left = f32x4.add(f32x4.mul(v128.load(a + at), wa), f32x4.mul(v128.load(b), wb));
      const right = f32x4.add(f32x4.mul(v128.load(b + stride), wc), f32x4.mul(v128.load(b + 2 * stride), wd));
      v128.store(gathered + at, f32x4.add(v128.load(gathered + at), f32x4.add(left, right)));
    }
  }
}
