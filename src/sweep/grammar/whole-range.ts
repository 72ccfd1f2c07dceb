/** So many values a range may have: a slip of the finger (`1..1000000`) is no plan. */
const longestRange = 100_000;

/** The whole numbers of `42..51`, both ends included and in either direction; undefined for a text that is no such range. */
export function wholeRange(text: string): number[] | undefined {
  const [, first, last] = /^\s*(-?\d{1,15})\s*\.\.\s*(-?\d{1,15})\s*$/.exec(text) ?? [];
  if (first === undefined || last === undefined) return undefined;
  const [from, to] = [Number(first), Number(last)];
  const length = Math.abs(to - from) + 1;
  if (length > longestRange) return undefined;
  return Array.from({ length }, (_, index) => (to >= from ? from + index : from - index));
}
