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

test("which tokens the rows are is not guessed where the configuration of a run is damaged; that of something else says nothing", () => {
  const directory = join(folder, "damaged");
  mkdirSync(directory);
  writeFileSync(join(directory, "config.json"), JSON.stringify({ model_type: "gpt2" }));
  expect(recordedTokens(directory, 128)).toBeUndefined();
  writeFileSync(join(directory, "run.json"), "{}");
  expect(() => recordedTokens(directory, 128)).toThrow(expect.objectContaining({ code: "RUN_CORRUPT" }));
});

test("the tokens of a run with a tokenizer are written as its copy of that has them, whatever the vocabulary", () => {
  const directory = join(folder, "words");
  mkdirSync(directory);
  writeFileSync(join(directory, "config.json"), JSON.stringify({ model: { vocab_size: 300 }, data: { tokenizer: "/elsewhere/words.json" } }));
  expect(recordedTokens(directory, 300)?.text?.(1)).toBeUndefined();
  writeFileSync(join(directory, "tokenizer.json"), JSON.stringify({ model: { vocab: { the: 0, " cat": 1 } } }));
  expect(recordedTokens(directory, 300)?.text?.(1)).toBe(" cat");
  expect(recordedTokens(directory, 300)?.text?.(2)).toBeNull();
});
