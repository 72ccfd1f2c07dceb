import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { builtInPath, corpusFiles, resolvePaths } from "../../../src/config/paths-in-config.js";

test("relative paths start at the base, absolute ones and null stay", () => {
  const values = { data: { corpus: "text.txt", held_out: 0.1 }, init: { kind: "file", path: "../rows.pt" }, model: { from: "/models/gpt2" } };
  expect(resolvePaths(values, "/home/me/configs")).toEqual({
    data: { corpus: "/home/me/configs/text.txt", held_out: 0.1 },
    init: { kind: "file", path: "/home/me/rows.pt" },
    model: { from: "/models/gpt2" },
  });
  expect(resolvePaths({ data: { corpus: null } }, "/base")).toEqual({ data: { corpus: null } });
});

test("each file of a corpus of several starts at the base", () => {
  const values = { data: { corpus: [{ path: "a.txt", weight: 2 }, { path: "/texts/b.txt" }, "c.txt"] } };
  expect(resolvePaths(values, "/base")).toEqual({ data: { corpus: [{ path: "/base/a.txt", weight: 2 }, { path: "/texts/b.txt" }, "c.txt"] } });
});

test("an interpreter with a folder in its name is a path, a bare name is a command", () => {
  expect(resolvePaths({ python: ".venv/bin/python" }, "/base")).toEqual({ python: "/base/.venv/bin/python" });
  expect(resolvePaths({ python: "python3.12" }, "/base")).toEqual({ python: "python3.12" });
});

test("what is not a path, or stands in no section, is left for the schema to refuse", () => {
  const values = { data: "text.txt", init: { path: 5 }, model: { from: "" } };
  expect(resolvePaths(values, "/base")).toEqual(values);
});

test("the values that were given do not change", () => {
  const values = { data: { corpus: "text.txt" } };
  resolvePaths(values, "/base");
  expect(values).toEqual({ data: { corpus: "text.txt" } });
});

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
