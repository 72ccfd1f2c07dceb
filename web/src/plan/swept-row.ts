/** A trial of a sweep as numbers and words, by the names of what was set and what came out. */
export interface SweptRow {
  id: string;
  run: string | null;
  values: Readonly<Record<string, string | number>>;
}

/** Where the values of a name lie between 0 and 1: numbers by size, by their logarithm where they span more than two powers of ten; words in order. */
export function scaleOf(rows: readonly SweptRow[], name: string): { place(value: string | number): number; ticks: (string | number)[] } {
  const values = [...new Set(rows.flatMap(({ values }) => values[name] ?? []))];
  const numbers = values.filter((value) => typeof value === "number").sort((a, b) => a - b);
  if (numbers.length < values.length) {
    const words = values.map(String).sort();
    return { place: (value) => (words.length < 2 ? 0.5 : words.indexOf(String(value)) / (words.length - 1)), ticks: words };
  }
  const [least = 0, most = 0] = [numbers[0], numbers.at(-1)];
  const isLog = least > 0 && most / least > 100;
  const size = (value: number) => (isLog ? Math.log(value) : value);
  const span = size(most) - size(least);
  const ticks = numbers.length <= 8 ? numbers : [least, isLog ? Math.sqrt(least * most) : (least + most) / 2, most];
  return { place: (value) => (span === 0 ? 0.5 : (size(Number(value)) - size(least)) / span), ticks };
}

/** A share from 0 to 1 as a colour from pale to full, which stays in order without colour as well. */
export function shade(share: number): string {
  return `color-mix(in oklab, var(--accent) ${Math.round(12 + 88 * share)}%, var(--panel))`;
}
