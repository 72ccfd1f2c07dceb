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
  ["=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"],
  ['=HYPERLINK("http://a","b")', '"\'=HYPERLINK(""http://a"",""b"")"'],
  ["+1+cmd", "'+1+cmd"],
  ["-2+3", "'-2+3"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\t=1", "'\t=1"],
  ["\r=1", '"\'\r=1"'],
  ["-0.5", "-0.5"],
  ["+1e-3", "+1e-3"],
  [-1.5e-7, "-1.5e-7"],
  ["a=b", "a=b"],
  ["two\nlines", '"two\nlines"'],
])("%j is written as %s", (value, field) => expect(csvField(value)).toBe(field));
