/** The values of two arms under one key, usually a seed. */
export interface Pair {
  readonly key: number;
  readonly control: number;
  readonly treatment: number;
  /** Treatment less control. */
  readonly difference: number;
}

/** A value that can be compared: there, and finite. */
function isFiniteNumber(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** The pairs that both arms have a finite value for, with a finite difference, in the control's order; a key that one of them lacks makes no pair. */
export function pairedDifferences(control: ReadonlyMap<number, number | null>, treatment: ReadonlyMap<number, number | null>): Pair[] {
  return [...control].flatMap(([key, before]) => {
    const after = treatment.get(key);
    return isFiniteNumber(before) && isFiniteNumber(after) && Number.isFinite(after - before)
      ? [{ key, control: before, treatment: after, difference: after - before }]
      : [];
  });
}
