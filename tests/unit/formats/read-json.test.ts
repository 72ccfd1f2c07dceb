import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonTokens, readJson, strictJsonComplaints } from "../../../src/formats/read-json.js";
import { expectedFrom, temporaryDirectory } from "./reference-python.js";

const directory = temporaryDirectory();

function file(text: string): string {
  const path = join(directory, "file.json");
  writeFileSync(path, text);
  return path;
}

test("what Python writes is read: NaN and infinities as null, and their names in texts as they are", () => {
  const program = `
import json
value = {"loss": float("nan"), "bounds": [float("inf"), float("-inf"), -1.5e-3], "NaN": "Infinity, -Infinity \\"NaN\\" ünï", "none": None}
print(json.dumps(json.dumps(value, ensure_ascii=False)))`;
  expect(readJson(file(expectedFrom<string>(program)))).toEqual({
    loss: null,
    bounds: [null, null, -1.5e-3],
    NaN: 'Infinity, -Infinity "NaN" ünï',
    none: null,
  });
});

test.each([
  ["no JSON", "{", /it is not JSON/],
  ["a name that stands twice", '{"a": 1, "b": {"a": 2}, "a": 3}', /"a"/],
  ["a reserved name", '{"__proto__": 1}', /__proto__/],
])("%s is refused with its place", (_, text, message) => {
  expect(() => readJson(file(text))).toThrow(expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringMatching(message) }));
});

test("a place after letters of more bytes is counted in bytes", () => {
  const text = '{"ü": NaN, "a": 1, "a": 2}';
  // The second "a" begins at character 20; ü has two bytes, and null, which stands for NaN, one more than NaN.
  expect(() => readJson(file(text))).toThrow(expect.objectContaining({ offset: text.lastIndexOf('"a"') + 2 }));
});

test("a file that is not there is told", () => expect(() => readJson(join(directory, "none"))).toThrow(expect.objectContaining({ code: "FILE_NOT_FOUND" })));

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
