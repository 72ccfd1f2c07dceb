import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { builtInPath, corpusFiles } from "../../../src/config/corpus-files.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";

test("the built-in corpus is ASCII, 320,525 bytes, with 77 distinct characters as the author's", async () => {
  const bytes = await readFile(builtInPath());
  const text = bytes.toString("ascii").replaceAll("\r\n", "\n");
  expect([bytes.length, bytes.every((byte) => byte < 128), new Set(text).size]).toEqual([320_525, true, 77]);
});

test("a corpus of one's own is taken as it is", () => {
  expect(corpusFiles(parseRunConfig({ data: { corpus: "/texts/a.txt" } }))).toEqual([{ path: "/texts/a.txt", weight: 1 }]);
  expect(corpusFiles(parseRunConfig({}))).toEqual([{ path: builtInPath(), weight: 1 }]);
});

test("of several files each has its weight, 1 where none is given, and its place where they were sent to", () => {
  const config = parseRunConfig({ data: { corpus: [{ path: "/texts/a.txt", weight: 3 }, { path: "/texts/b.txt" }] } });
  expect(corpusFiles(config)).toEqual([
    { path: "/texts/a.txt", weight: 3 },
    { path: "/texts/b.txt", weight: 1 },
  ]);
  expect(corpusFiles(config, "/sent/4f").map(({ path }) => path)).toEqual(["/sent/4f/0", "/sent/4f/1"]);
});
