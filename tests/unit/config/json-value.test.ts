import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { inlineYaml } from "../../../src/config/annotated-yaml.js";
import { isPlainObject, valueAt } from "../../../src/config/json-value.js";

test("an object literal is plain, and one without a prototype", () => {
  expect(isPlainObject({})).toBe(true);
  expect(isPlainObject(Object.create(null))).toBe(true);
});

test.each([null, undefined, [], "text", 1, () => 0, new Date(0), new Map(), Object.create({})])("%s is not", (value) => {
  expect(isPlainObject(value)).toBe(false);
});

const values = { record: { rows: [3, 5] }, threads: null };

test.each([
  [[], values],
  [
    ["record", "rows"],
    [3, 5],
  ],
  [["record", "rows", 1], 5],
  [["record", "rows", "1"], 5],
  [["threads"], null],
  [["record", "rows", 2], undefined],
  [["threads", "below"], undefined],
  [["missing", "below"], undefined],
])("at %j there is %j", (path, value) => {
  expect(valueAt(path, values)).toEqual(value);
});

test("what every object inherits is no value of the configuration", () => {
  expect(valueAt(["constructor"], values)).toBeUndefined();
  expect(valueAt(["record", "toString"], values)).toBeUndefined();
});

test.each([
  [3e-5, "3e-5"],
  [-3e-5, "-3e-5"],
  [0.001, "0.001"],
  [0, "0"],
  [1000, "1000"],
  [null, "null"],
  [["wte", "wte.grad"], "[wte, wte.grad]"],
  [{ kind: "snowball" }, "{kind: snowball}"],
  ["a\nb", '"a\\nb"'],
  ["true", '"true"'],
])("%j is written %s", (value, text) => {
  expect(inlineYaml(value)).toBe(text);
});

test("any value of JSON comes back from one line", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = inlineYaml(value);
      expect(text.includes("\n")).toBe(false);
      expect(parse(text)).toEqual(value);
    }),
  );
});
