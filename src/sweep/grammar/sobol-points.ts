/** Primitive polynomials and initial direction numbers of the dimensions after the first (Joe & Kuo 2008, new-joe-kuo-6.21201). */
const directions: readonly (readonly [polynomial: number, initial: readonly number[]])[] = [
  [3, [1]],
  [7, [1, 3]],
  [11, [1, 3, 1]],
  [13, [1, 1, 1]],
  [19, [1, 1, 3, 3]],
  [25, [1, 3, 5, 13]],
  [37, [1, 1, 5, 5, 17]],
  [41, [1, 1, 5, 5, 5]],
  [47, [1, 1, 7, 11, 19]],
  [55, [1, 1, 5, 1, 1]],
  [59, [1, 1, 1, 3, 11]],
  [61, [1, 3, 5, 5, 31]],
  [67, [1, 3, 3, 9, 7, 49]],
  [91, [1, 1, 1, 15, 21, 21]],
  [97, [1, 3, 1, 13, 27, 49]],
];

/** So many fields can be drawn together; each takes a line of the table above. */
export const maxSobolDimensions: number = directions.length + 1;

const bits = 30;

/**
 * The first points of the Sobol sequence in `[0, 1)^dimensions`, in Gray-code order (Antonov & Saleev 1979), each coordinate XORed with `shift`.
 *
 * A shift of 0 is the plain sequence, whose first point is the origin; any other keeps how evenly the points lie (a digital shift).
 *
 * @param shift of each dimension: 30 bits.
 */
export function sobolPoints(count: number, shift: readonly number[]): number[][] {
  const numbers = shift.map((_, dimension) => directionNumbers(dimension));
  const state = [...shift];
  return Array.from({ length: count }, (_, index) => {
    if (index > 0) {
      const bit = Math.log2(index & -index); // the bit in which the Gray codes of this point and the one before differ
      numbers.forEach((directionsOf, dimension) => {
        state[dimension] = (state[dimension] ?? 0) ^ (directionsOf[bit] ?? 0);
      });
    }
    return state.map((value) => value / 2 ** bits);
  });
}

/** Direction numbers of one dimension, as integers of 30 bits. */
function directionNumbers(dimension: number): number[] {
  const [polynomial, initial] = directions[dimension - 1] ?? [1, new Array<number>(bits).fill(1)];
  const degree = initial.length;
  const odd = [...initial];
  for (let index = degree; index < bits; index++) {
    const before = odd[index - degree] ?? 0;
    let next = before ^ (before * 2 ** degree);
    for (let k = 1; k < degree; k++) {
      if ((polynomial >> (degree - k)) & 1) next ^= (odd[index - k] ?? 0) << k;
    }
    odd.push(next);
  }
  return odd.map((value, index) => value * 2 ** (bits - 1 - index));
}
