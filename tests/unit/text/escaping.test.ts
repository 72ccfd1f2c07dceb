import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { csvField, escaped, escapeHtml, markdownTable, markdownText, printable, shellQuote } from "../../../src/text/escaping.js";

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

test("a line for the head, one that divides, and one a row", () => {
  expect(
    markdownTable(
      ["a", "b"],
      [
        ["1", "2"],
        ["3", ""],
      ],
    ),
  ).toBe("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 |  |");
});

test("a bar in a cell does not end it", () => {
  expect(markdownTable(["x"], [["a|b"]])).toContain("| a\\|b |");
});

test.each([
  ["<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>"],
  ["[x](javascript:alert(1))", "\\[x\\]\\(javascript:alert(1))"],
  ["![x](http://a)", "!\\[x\\]\\(http://a)"],
  ["`code` *bold* \\", "\\`code\\` \\*bold\\* \\\\"],
  ["two\nlines and \u001b[31m", "two lines and \\\\u{1b}\\[31m"],
  ["training.learning_rate 0.5 größe", "training.learning_rate 0.5 größe"],
])("%j is no markup as %s", (text, shown) => expect(markdownText(text)).toBe(shown));

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

test("what HTML cannot hold is escaped", () => expect(escapeHtml("a\u001b[31m\u0000\ud800\uffff\tb\nc")).toBe("a\\u{1b}[31m\\u{0}\\u{d800}\\u{ffff}\tb\nc"));

test("a text is never markup", () => expect(escapeHtml(`<b a="1" c='2'>&`)).toBe("&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;"));
