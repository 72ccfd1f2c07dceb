import { type Dtype, itemSizes, Matrix } from "../formats/matrix.js";
import { type ExactNumber, exactNumber } from "./exact-number.js";
import { ulpDistance } from "./ulp-distance.js";

/** Two elements in one place that differ in some bit. */
export interface DifferingElement {
  readonly a: ExactNumber;
  readonly b: ExactNumber;
  /** As `ulpDistance` counts: 0 for −0 and 0, null where one is NaN. */
  readonly ulp: number | null;
}

/**
 * The first element in which two pieces of a tensor differ in some bit; nothing when they are equal.
 *
 * @param a elements, little-endian; as many as in `b`.
 * @returns with its position, counted in elements.
 */
export function differingElement(dtype: Dtype, a: Uint8Array, b: Uint8Array): (DifferingElement & { readonly index: number }) | undefined {
  if (Buffer.compare(a, b) === 0) return undefined;
  const size = itemSizes[dtype];
  const index = Math.floor(a.findIndex((byte, at) => byte !== b[at]) / size);
  const elementOf = (bytes: Uint8Array) => bytes.subarray(index * size, (index + 1) * size);
  const numberOf = (bytes: Uint8Array) => exactNumber(new Matrix(dtype, [1], elementOf(bytes)).at(0, 0));
  return { index, a: numberOf(a), b: numberOf(b), ulp: ulpDistance(dtype, elementOf(a), elementOf(b)) };
}
