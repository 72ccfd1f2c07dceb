import fc from "fast-check";

/** Differences as experiments have them: continuous ones, small whole numbers with ties and zeros, and losses of four decimals. */
const difference = fc.oneof(
  fc.double({ min: -1e3, max: 1e3, noNaN: true }),
  fc.integer({ min: -3, max: 3 }),
  fc.tuple(fc.integer({ min: 20_000, max: 40_000 }), fc.integer({ min: -30, max: 30 })).map(([a, b]) => (a + b) / 10_000 - a / 10_000),
);

/** The same random lists of differences at every run. */
export function sampledDifferences(count: number, minLength: number, maxLength: number): number[][] {
  return fc.sample(fc.array(difference, { minLength, maxLength }), { seed: 20_260_501, numRuns: count });
}
