import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { terminalColors, terminalJson, terminalText } from "../../../../src/commands/terminal/terminal.js";

const color = terminalColors(true);

test("our colours reach the terminal, and those of a text that is quoted are escaped", () => {
  expect(terminalText(`${color.red("failed")}: \u001b[31mred\u001b[39m`)).toBe("\u001b[31mfailed\u001b[39m: \\u{1b}[31mred\\u{1b}[39m");
  expect(terminalText(color.bold(`of ${color.green("x")}`))).toBe("\u001b[1mof \u001b[32mx\u001b[39m\u001b[22m");
  expect(terminalText(terminalColors(false).red("\u001b[31mred"))).toBe("\\u{1b}[31mred");
});

test("what is measured before it is printed has the width of its letters", () => {
  expect(stripVTControlCharacters(color.cyan("running"))).toBe("running");
});

test("line ends and tabs stay; carriage returns, C1 controls and marks of direction do not", () => {
  expect(terminalText("a\tb\nc\rd\u009b2Je\u202ef\u0007")).toBe("a\tb\nc\\u{d}d\\u{9b}2Je\\u{202e}f\\u{7}");
});

test("a JSON document is the same document, without a character that steers", () => {
  const document = { schema: "x", name: "\u009b2J\u202e\u007f\u001b", text: "ü\n" };
  const text = terminalJson(document);
  expect(text).toMatch(/^[\P{Cc}]*$/u);
  expect(text).not.toContain("\u202e");
  expect(JSON.parse(text)).toEqual(document);
});
