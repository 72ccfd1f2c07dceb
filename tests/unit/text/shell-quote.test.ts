import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { shellQuote } from "../../../src/text/shell-quote.js";

test("harmless words stay as they are", () => {
  for (const word of ["runs/a-1", "training.max_steps=3", "user@host:/x", "100%"]) expect(shellQuote(word)).toBe(word);
});

test.each(["", "a b", "it's", "$HOME", "`id`", 'say "x"', "a;b", "*", "~", "a\\b", "größe"])("%j reaches a program as it is", (word) => {
  expect(execFileSync("sh", ["-c", `printf %s ${shellQuote(word)}`], { encoding: "utf8" })).toBe(word);
});

test("any words reach a program one by one, as they are", () => {
  const words = fc.array(fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(words, (list) => {
      const printed = execFileSync("sh", ["-c", `printf '%s\\n' ${list.map(shellQuote).join(" ")}`], { encoding: "utf8" });
      expect(printed).toBe(list.map((word) => `${word}\n`).join(""));
    }),
    { numRuns: 25 },
  );
});

test("a line end in a name stays on the line", () => {
  expect(shellQuote("a\nb")).toBe("'a\\u{a}b'");
});
