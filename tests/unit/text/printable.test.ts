import fc from "fast-check";
import { expect, test } from "vitest";
import { escaped, printable } from "../../../src/text/printable.js";

test.each([
  ["wte.weight", "wte.weight"],
  ["größe 重み", "größe 重み"],
  ["a\u001b[31mred", "a\\u{1b}[31mred"],
  ["two\nlines", "two\\u{a}lines"],
  ["left\u202eright", "left\\u{202e}right"],
])("%j is shown as %s", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("a long name is cut at its limit", () => {
  expect(printable("x".repeat(201))).toBe(`${"x".repeat(199)}…`);
  expect(printable("x".repeat(200))).toBe("x".repeat(200));
});

test("no text moves the cursor or starts an escape sequence", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      for (const character of printable(text)) expect(character.codePointAt(0)).toSatisfy((code: number) => code >= 0x20 && (code < 0x7f || code > 0x9f));
    }),
  );
});

test("an escape names the character by its number", () => {
  expect(escaped("\u2066")).toBe("\\u{2066}");
});
