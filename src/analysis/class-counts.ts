/** What the classes of one state count. */
export interface ClassCounts {
  /** Distinct rows. */
  readonly unique: number;
  /** Black holes: classes of two or more tokens. */
  readonly C: number;
  /** Tokens in black holes. */
  readonly P: number;
  /** Tokens of the largest black hole; 0 when there is none. */
  readonly largest: number;
}

/** Tokens of each class, at the index of its first token. */
export function classSizes(classes: Int32Array): Int32Array {
  const sizes = new Int32Array(classes.length);
  for (const first of classes) sizes[first] = (sizes[first] ?? 0) + 1;
  return sizes;
}

/**
 * Count the classes of one state.
 *
 * @param classes for each token, the first token with the same row (`rowClasses`).
 */
export function classCounts(classes: Int32Array): ClassCounts {
  const sizes = classSizes(classes);
  const holes = sizes.filter((size) => size > 1);
  return {
    unique: sizes.filter((size) => size > 0).length,
    C: holes.length,
    P: holes.reduce((sum, size) => sum + size, 0),
    largest: holes.reduce((largest, size) => Math.max(largest, size), 0),
  };
}
