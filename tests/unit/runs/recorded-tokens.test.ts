import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recordedTokens } from "../../../src/runs/recorded-tokens.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const folder = temporaryDirectory();

test.each([
  [128, "8"],
  [256, "8"],
  [257, undefined],
  [50_257, undefined],
])("in a vocabulary of %i tokens, token 56 is written %j: larger ones are of pieces of words", (vocabulary, text) => {
  for (const rows of ["all", [56]]) {
    const directory = join(folder, `${vocabulary}-${rows}`);
    mkdirSync(directory);
    writeFileSync(join(directory, "config.json"), JSON.stringify({ model: { vocab_size: vocabulary }, record: { rows } }));
    expect(recordedTokens(directory, rows === "all" ? vocabulary : 1)?.text?.(56)).toBe(text);
  }
});
