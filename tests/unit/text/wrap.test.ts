import { expect, test } from "vitest";
import { wrap } from "../../../src/text/wrap.js";

test("lines break at words, and what follows a break is indented as its line is", () => {
  expect(wrap("  one two three", 10)).toBe("  one two\n  three");
  expect(wrap("one two\nthree four", 9)).toBe("one two\nthree\nfour");
  expect(wrap("one two three four five", 9, 3)).toBe("one two\n   three\n   four\n   five");
});

test("the gap of a column stays as it is where its line does not break there", () => {
  expect(wrap("Device   cpu, 1 thread and more", 24, 9)).toBe("Device   cpu, 1 thread\n         and more");
});

test("a word that is too wide, and a command in quotes, stay whole", () => {
  expect(wrap("see /a/very/long/path now", 10)).toBe("see\n/a/very/long/path\nnow");
  expect(wrap('run "bh-bridge resume runs/a b" now', 12)).toBe('run\n"bh-bridge resume runs/a b"\nnow');
});

test("a command after a colon and two spaces, and a number with its unit, are not torn apart", () => {
  expect(wrap("Resume with:  bh-bridge resume runs/a", 20)).toBe("Resume with:\nbh-bridge resume runs/a");
  expect(wrap("3 escapes, 2 captures", 12)).toBe("3 escapes,\n2 captures");
});

test("without a width, and where it fits, a text is left alone", () => {
  expect(wrap("  a  b ", undefined)).toBe("  a  b ");
  expect(wrap("  a  b ", 7)).toBe("  a  b ");
});
