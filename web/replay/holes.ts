/** What the rows of a state are to each other. */
export interface HoleMarks {
  /** For each row, the number of its black hole from 1 on, by falling population; 0 for a row that is alone. */
  readonly hole: Uint32Array;
  readonly populations: readonly number[];
}

/**
 * The rows of a state that are equal, by value: −0 equals 0, and a row with NaN equals nothing.
 *
 * @param bits `[tokens, dims]`, as words of 16 or 32 bits.
 */
export function markHoles(bits: Uint16Array | Uint32Array, tokens: number, dims: number, dtype: string): HoleMarks {
  const { negativeZero, isNan } = formOf(dtype);
  const groups = new Map<number, number[][]>();
  for (let row = 0; row < tokens; row++) {
    let hash = 0x811c9dc5;
    let hasNan = false;
    for (let at = row * dims; at < (row + 1) * dims; at++) {
      const word = bits[at] ?? 0;
      if (isNan(word)) hasNan = true;
      hash = Math.imul(hash ^ (word === negativeZero ? 0 : word), 0x01000193);
    }
    if (hasNan) continue;
    const near = groups.get(hash);
    if (!near) groups.set(hash, [[row]]);
    else {
      const same = near.find(([first = 0]) => areEqual(bits, first, row, dims, negativeZero));
      if (same) same.push(row);
      else near.push([row]);
    }
  }
  const holes = [...groups.values()].flat().filter((rows) => rows.length > 1);
  holes.sort((a, b) => b.length - a.length || (a[0] ?? 0) - (b[0] ?? 0));
  const hole = new Uint32Array(tokens);
  holes.forEach((rows, index) => {
    for (const row of rows) hole[row] = index + 1;
  });
  return { hole, populations: holes.map((rows) => rows.length) };
}

function formOf(dtype: string): { negativeZero: number; isNan(word: number): boolean } {
  if (dtype === "BF16") return { negativeZero: 0x8000, isNan: (word) => (word & 0x7fff) > 0x7f80 };
  if (dtype === "F16") return { negativeZero: 0x8000, isNan: (word) => (word & 0x7fff) > 0x7c00 };
  return { negativeZero: 0x80000000, isNan: (word) => (word & 0x7fffffff) >>> 0 > 0x7f800000 };
}

function areEqual(bits: Uint16Array | Uint32Array, a: number, b: number, dims: number, negativeZero: number): boolean {
  for (let dim = 0; dim < dims; dim++) {
    const left = bits[a * dims + dim] ?? 0;
    const right = bits[b * dims + dim] ?? 0;
    if ((left === negativeZero ? 0 : left) !== (right === negativeZero ? 0 : right)) return false;
  }
  return true;
}
