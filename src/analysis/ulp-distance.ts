import type { Dtype } from "../formats/matrix.js";

/** Bits of infinity without a sign: what is above is NaN. */
const infinities: Partial<Record<Dtype, bigint>> = { BF16: 0x7f80n, F16: 0x7c00n, F32: 0x7f80_0000n, F64: 0x7ff0_0000_0000_0000n };

/**
 * How many steps from one number of its dtype to the next lie between two elements: 1 for neighbours, and from the largest number to infinity; 0 for −0 and 0.
 *
 * @param a bytes of one element, little-endian.
 * @returns null when one of them is NaN, and for a dtype that has no floats. Above 2^53 (of F64 alone) it is rounded.
 */
export function ulpDistance(dtype: Dtype, a: Uint8Array, b: Uint8Array): number | null {
  const infinity = infinities[dtype];
  if (infinity === undefined) return null;
  const [left, right] = [ordinal(a), ordinal(b)];
  if (magnitude(left) > infinity || magnitude(right) > infinity) return null;
  return Number(magnitude(left - right));
}

/** Floats hold sign and magnitude: read so, their bits count the numbers from zero in both directions. */
function ordinal(element: Uint8Array): bigint {
  const bits = element.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const sign = 1n << BigInt(8 * element.length - 1);
  return bits & sign ? -(bits ^ sign) : bits;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
