import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { corpusPath } from "../../../src/config/corpus-path.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";

test("the built-in corpus is ASCII, 320,525 bytes, with 77 distinct characters as the author's", async () => {
  const bytes = await readFile(corpusPath(parseRunConfig({})));
  const text = bytes.toString("ascii").replaceAll("\r\n", "\n");
  expect([bytes.length, bytes.every((byte) => byte < 128), new Set(text).size]).toEqual([320_525, true, 77]);
});

test("a corpus of one's own is taken as it is", () => {
  expect(corpusPath(parseRunConfig({ data: { corpus: "/texts/a.txt" } }))).toBe("/texts/a.txt");
});
