/** Counts of one state. */
export interface ClassCounts {
  /** Distinct rows. */
  readonly unique: number;
  /** Black holes: classes of two or more tokens. */
  readonly C: number;
  /** Tokens in black holes. */
  readonly P: number;
  /** Tokens in the largest black hole; 0 if there is none. */
  readonly largest: number;
}

/** Size of each class, at the index of its first token. */
export function classSizes(classes: Int32Array): Int32Array {
  const sizes = new Int32Array(classes.length);
  for (const first of classes) sizes[first] = (sizes[first] ?? 0) + 1;
  return sizes;
}

/** Count the classes of one state. @param classes for each token, the first token with the same row (`rowClasses`). */
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

/** Changes of the classes from one state to the next. */
export interface ClassChanges {
  /** Earlier black holes whose members are now in two or more black holes. */
  readonly fissions: number;
  /** Earlier black holes whose members are now in two or more classes. */
  readonly splits: number;
  /** Fissions of the reversed step. */
  readonly merges: number;
  /** Splits of the reversed step. */
  readonly joins: number;
  /** Tokens that were in a black hole and are now alone. */
  readonly escapes: number;
  /** Tokens that were alone and are now in a black hole. */
  readonly captures: number;
}

/** For each black hole of `from`, the classes of its members in `to`. */
function destinations(from: Int32Array, fromSizes: Int32Array, to: Int32Array): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>();
  for (const [token, hole] of from.entries()) {
    if ((fromSizes[hole] ?? 0) < 2) continue;
    const classes = found.get(hole) ?? new Set();
    found.set(hole, classes.add(to[token] ?? token));
  }
  return found;
}

function partings(from: Int32Array, fromSizes: Int32Array, to: Int32Array, toSizes: Int32Array): { intoHoles: number; intoClasses: number } {
  let intoHoles = 0;
  let intoClasses = 0;
  for (const classes of destinations(from, fromSizes, to).values()) {
    if (classes.size > 1) intoClasses++;
    if ([...classes].filter((found) => (toSizes[found] ?? 0) > 1).length > 1) intoHoles++;
  }
  return { intoHoles, intoClasses };
}

/**
 * Compare the classes of two consecutive states.
 * @param before for each token, the first token with the same row in the earlier state; `after` likewise in the later one.
 */
export function classChanges(before: Int32Array, after: Int32Array): ClassChanges {
  const beforeSizes = classSizes(before);
  const afterSizes = classSizes(after);
  const forwards = partings(before, beforeSizes, after, afterSizes);
  const backwards = partings(after, afterSizes, before, beforeSizes);
  let escapes = 0;
  let captures = 0;
  for (const [token, hole] of before.entries()) {
    const wasInHole = (beforeSizes[hole] ?? 0) > 1;
    const isInHole = (afterSizes[after[token] ?? token] ?? 0) > 1;
    if (wasInHole && !isInHole) escapes++;
    if (!wasInHole && isInHole) captures++;
  }
  return {
    fissions: forwards.intoHoles,
    splits: forwards.intoClasses,
    merges: backwards.intoHoles,
    joins: backwards.intoClasses,
    escapes,
    captures,
  };
}
