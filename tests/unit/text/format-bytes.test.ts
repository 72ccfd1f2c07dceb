import { expect, test } from "vitest";
import { formatBytes } from "../../../src/text/format-bytes.js";

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
