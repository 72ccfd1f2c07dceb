import { expect, test } from "vitest";
import { csvField } from "../../../src/text/csv-field.js";

test.each<[string | number | boolean | null | undefined, string]>([
  [0.1, "0.1"],
  [true, "true"],
  [null, ""],
  [undefined, ""],
  ["plain", "plain"],
  ["a,b", '"a,b"'],
  ['say "no"', '"say ""no"""'],
  ["two\nlines", '"two\nlines"'],
])("%j is written as %s", (value, field) => expect(csvField(value)).toBe(field));
