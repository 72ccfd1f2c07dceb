import { expect, test } from "vitest";
import { initSchema } from "../../../src/config/init-schema.js";

const accepts = (init: object) => initSchema.safeParse(init).success;

test.each(["normal", "singular", "snowball", "unit-noise"])("%s needs no field but its kind", (kind) => {
  expect(accepts({ kind })).toBe(true);
});

test("a kind refuses the fields of another", () => {
  expect(accepts({ kind: "singular", sigma: 1e-5 })).toBe(false);
  expect(accepts({ kind: "snowball", noise_dtype: "float32" })).toBe(false);
  expect(accepts({ kind: "normal", path: "x" })).toBe(false);
});

test("noise has a standard deviation above 0", () => {
  for (const sigma of [0, -1e-5, Number.NaN, Number.POSITIVE_INFINITY]) expect(accepts({ kind: "snowball", sigma })).toBe(false);
  expect(accepts({ kind: "snowball", sigma: 5e-324 })).toBe(true);
});

test("a file needs a path; tensor and step stay open", () => {
  expect(accepts({ kind: "file" })).toBe(false);
  expect(accepts({ kind: "file", path: "" })).toBe(false);
  expect(accepts({ kind: "file", path: "a.pt", step: -1 })).toBe(false);
  expect(initSchema.parse({ kind: "file", path: "a.pt" })).toEqual({ kind: "file", path: "a.pt" });
});
