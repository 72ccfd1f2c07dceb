import { expect, test } from "vitest";
import { ofDifferences, ofSplits } from "../../../../bench/verdicts/simulate.js";

/** Four standard errors of a percentage of so many experiments. */
const noise = (percent: number, experiments: number) => 4 * Math.sqrt((percent * (100 - percent)) / experiments);

test("a treatment that splits in three runs of ten is not called null by fewer than nine pairs, and rarely by nine", () => {
  for (const pairs of [3, 6, 8]) expect(ofSplits(0.3, pairs, 50).null).toBe(0);
  // 0.7^9 = 4.04 % of all experiments have no split in nine pairs.
  const found = ofSplits(0.3, 9, 300).null;
  expect(found).toBeGreaterThan(0);
  expect(found).toBeLessThan(4.04 + noise(4.04, 300));
});

test("arms that are alike, and arms at the end of the margin, are called positive in at most alpha of all experiments", () => {
  expect(ofDifferences("normal", 8, 300).positive).toBeLessThan(5 + noise(5, 300));
  expect(ofDifferences("exponential (skewness 2)", 8, 300).positive).toBeLessThan(5 + noise(5, 300));
  // Tested against 0, as it once was, about half of these would be positive.
  expect(ofDifferences("normal", 8, 300, 1, 1).positive).toBeLessThan(5 + noise(5, 300));
});

test("an effect of two standard deviations is found, and no effect within such a margin is null, in most experiments", () => {
  expect(ofDifferences("normal", 8, 100, 2).positive).toBeGreaterThan(75);
  expect(ofDifferences("normal", 9, 100, 0, 2).null).toBeGreaterThan(75);
  expect(ofDifferences("normal", 8, 50, 0, 2).null).toBe(0);
});
