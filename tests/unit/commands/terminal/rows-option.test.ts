import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { deadTokensOf } from "../../../../src/commands/terminal/rows-option.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { deadRows, writeRun } from "../../serve/written-run.js";

const folder = temporaryDirectory();

test("without a corpus they are those that the run recorded, as far as the vocabulary goes", async () => {
  const run = writeRun({ folder, id: "run", steps: 1 });
  expect(await deadTokensOf(run, undefined, 128)).toEqual(deadRows);
  expect(await deadTokensOf(run, undefined, 122)).toEqual(deadRows.filter((token) => token < 122));
});

test("of a corpus they are the bytes that it does not have", async () => {
  const corpus = join(folder, "text.txt");
  writeFileSync(corpus, "abcba");
  expect(await deadTokensOf("/nowhere", corpus, 101)).toEqual(Array.from({ length: 101 }, (_, token) => token).filter((token) => token < 97 || token > 99));
});

test("a corpus that cannot be read is told", async () => {
  await expect(deadTokensOf("/nowhere", join(folder, "missing"), 128)).rejects.toMatchObject({ code: "CORPUS_INVALID" });
});
