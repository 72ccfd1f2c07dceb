import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { inlineYaml } from "../../../src/config/inline-yaml.js";

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
