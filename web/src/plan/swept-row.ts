/** A trial of a sweep as numbers and words, by the names of what was set and what came out. */
export interface SweptRow {
  id: string;
  run: string | null;
  /** Its name by the values that differ. */
  name: string;
  values: Readonly<Record<string, string | number>>;
}

/** An axis for the values of a name. */
export interface SweptScale {
  readonly name: string;
  /** Where a value lies between 0 and 1. */
  place(value: string | number): number;
  /** The number at a position. */
  at(share: number): number;
  /** The order of values: numbers by size, words alphabetically. */
  rank(value: string | number): number;
  readonly ticks: readonly (string | number)[];
  /** All values, in their order. */
  readonly values: readonly (string | number)[];
  /** Whether every value has a tick. */
  readonly isFew: boolean;
}

const mostTicks = 8;
/** Ratio of values from which an axis is logarithmic, as in figures of sweeps. */
const decade = 10;

/** The axis of a name: numbers by size, by their logarithm where they span a power of ten; words in order. */
export function scaleOf(rows: readonly SweptRow[], name: string): SweptScale {
  const values = [...new Set(rows.flatMap(({ values }) => values[name] ?? []))];
  const numbers = values.filter((value) => typeof value === "number").sort((a, b) => a - b);
  if (numbers.length < values.length) {
    const words = values.map(String).sort();
    const place = (value: string | number) => (words.length < 2 ? 0.5 : words.indexOf(String(value)) / (words.length - 1));
    return { name, place, at: () => Number.NaN, rank: (value) => words.indexOf(String(value)), ticks: words, values: words, isFew: true };
  }
  const [least = 0, most = 0] = [numbers[0], numbers.at(-1)];
  const isLog = least > 0 && most / least >= decade;
  const size = (value: number) => (isLog ? Math.log(value) : value);
  const span = size(most) - size(least);
  const isFew = numbers.length <= mostTicks;
  const ticks = isFew ? numbers : [least, isLog ? Math.sqrt(least * most) : (least + most) / 2, most];
  return {
    name,
    place: (value) => (span === 0 ? 0.5 : (size(Number(value)) - size(least)) / span),
    at: (share) => (isLog ? Math.exp(size(least) + share * span) : least + share * span),
    rank: Number,
    ticks,
    values: numbers,
    isFew,
  };
}

/** The best trials by a measure: all that share the lowest or highest value. */
export function bestOf(rows: readonly SweptRow[], measure: string, direction: "lowest" | "highest"): { rows: SweptRow[]; value: number | undefined } {
  const numbers = rows.flatMap(({ values }) => (typeof values[measure] === "number" ? [values[measure]] : []));
  if (numbers.length === 0) return { rows: [], value: undefined };
  const value = direction === "lowest" ? Math.min(...numbers) : Math.max(...numbers);
  return { rows: rows.filter(({ values }) => values[measure] === value), value };
}

/** A share from 0 to 1 as a colour of the ramp, whose lightness also stays in order. */
export function shade(share: number): string {
  return `color-mix(in oklab, var(--ramp-high) ${Math.round(100 * share)}%, var(--ramp-low))`;
}

/** Whether text on a colour of the ramp is white; on the ramp of the dark theme black text is always readable. */
export function isWhiteOn(share: number, isDark: boolean): boolean {
  return !isDark && share > 0.22;
}
