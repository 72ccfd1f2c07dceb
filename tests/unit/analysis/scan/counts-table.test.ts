import { expect, test } from "vitest";
import { countsTable } from "../../../../src/analysis/scan/counts-table.js";
import { timelineFields } from "../../../../src/analysis/scan/state-scanner.js";

test.each([1, 0xffff, 0x10000])("a state of %d tokens can have any count up to that", (tokens) => {
  const table = countsTable(2, tokens);
  expect(table.length).toBe(2 * timelineFields.length);
  table[0] = tokens;
  expect(table[0]).toBe(tokens);
});

test("it takes two bytes a number where they are enough", () => {
  expect([countsTable(1, 0xffff).BYTES_PER_ELEMENT, countsTable(1, 0x10000).BYTES_PER_ELEMENT]).toEqual([2, 4]);
});

test("worker threads write into the same memory", () => {
  expect(countsTable(1, 5).buffer).toBeInstanceOf(SharedArrayBuffer);
  const table = structuredClone(countsTable(3, 5).subarray(timelineFields.length));
  expect(table.buffer).toBeInstanceOf(SharedArrayBuffer);
});
