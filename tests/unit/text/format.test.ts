import { expect, test } from "vitest";
import { count, figure, formatBytes, glance, groupDigits, percent, threeDigits } from "../../../src/text/format.js";

test.each([
  [0, "0 merges"],
  [1, "1 merge"],
  [2, "2 merges"],
  [265_905, "265,905 merges"],
])("%i is %s", (value, text) => expect(count(value, "merge")).toBe(text));

test.each([
  [0.12345, "0.123"],
  [70, "70.0"],
  [999.4, "999"],
  [999.5, "1,000"],
  [1593.7, "1,594"],
])("%d with three digits is %s", (value, text) => expect(threeDigits(value)).toBe(text));

test("a plural of its own can be given", () => {
  expect(count(1, "entry", "entries")).toBe("1 entry");
  expect(count(2, "entry", "entries")).toBe("2 entries");
});

test.each([
  [0, "0"],
  [1 / 3, "0.3333"],
  [-12.5, "-12.50"],
  [99_999, "1.000e+5"],
  [123_456, "1.23e+5"],
  [0.00098, "9.80e-4"],
  [null, "–"],
  [undefined, "–"],
])("%s is %s", (value, text) => expect(figure(value)).toBe(text));

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [999, "999 bytes"],
  [1000, "1.00 kB"],
  [16_384, "16.4 kB"],
  [999_499, "999 kB"],
  [999_500, "1.00 MB"],
  [778_000_000, "778 MB"],
  [2.5e12, "2.50 TB"],
  [4e15, "4.00e+3 TB"],
])("%d is %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("a short series is shown whole", () => {
  expect(glance(0, 3)).toEqual([0, 1, 2, 3]);
  expect(glance(1, 1)).toEqual([1]);
  expect(glance(1, 0)).toEqual([]);
});

test("of a long one 12 are shown, evenly spread, both ends among them", () => {
  expect(glance(0, 110)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]);
  expect(glance(1, 1001)).toHaveLength(12);
});

test.each([
  [0, "0"],
  [999, "999"],
  [265_905, "265,905"],
  [-1_234_567, "-1,234,567"],
  [1234.5, "1,234.5"],
])("%d is written %s, whatever language the machine speaks", (value, text) => {
  expect(groupDigits(value)).toBe(text);
});

test.each([
  [0, "0.0 %"],
  [1 / 8, "12.5 %"],
  [1, "100.0 %"],
  [null, "–"],
  [undefined, "–"],
])("%s is %s", (share, text) => expect(percent(share)).toBe(text));
