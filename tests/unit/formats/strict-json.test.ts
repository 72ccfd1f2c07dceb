import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonTokens, strictJsonComplaints } from "../../../src/formats/strict-json.js";

const complaints = (text: string) => [...strictJsonComplaints(text)].map(({ kind, reason }) => `${kind}: ${reason}`);

test.each([
  ['{"a": [1, 20, null, true], "b": {"a": "x"}}', []],
  ['{"a": 1, "a": 2}', ['name: the name "a" stands twice']],
  ['{"a": 1, "\\u0061": 2}', ['name: the name "a" stands twice']],
  ['{"a": {"a": 1}, "b": {"a": 2}}', []],
  ['{"__proto__": 1}', ['name: the name "__proto__" is reserved']],
  ["[1.5]", ["number: 1.5 is not an unsigned integer"]],
  ["[-1]", ["number: -1 is not an unsigned integer"]],
  ["[1e3]", ["number: 1e3 is not an unsigned integer"]],
  ['["\\ud800"]', ['text: the string "\\ud800" is not valid Unicode']],
  ['["a:b,{}[]"]', []],
])("%s: %j", (text, expected) => {
  expect(complaints(text)).toEqual(expected);
});

test("the tokens of any JSON, put together again, are the same JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const kept = [...jsonTokens(text)].map(({ text: token, position }) => {
        expect(text.startsWith(token, position)).toBe(true);
        return token;
      });
      expect(kept.join("")).toBe(text.replaceAll(/("(?:[^"\\]|\\.)*")|[\s:]/g, "$1"));
    }),
  );
});

test("no depth and no length of a string exhausts the stack", () => {
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  expect(complaints(deep)).toEqual([]);
  expect(complaints(`["${'\\"'.repeat(1_000_000)}"]`)).toEqual([]);
});
