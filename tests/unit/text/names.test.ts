import { expect, test } from "vitest";
import { quotedTokens, runNames, tokenName, trialNames } from "../../../src/text/names.js";

test.each([
  [97, "a", "a"],
  [32, " ", "␣"],
  [262, " the", "␣the"],
  [10, "\n", "⏎"],
  [9, "\t", "⇥"],
  [13, "\r", "\\x0d"],
  [0, "\u0000", "\\x00"],
  [7, "\u0007", "\\x07"],
  [127, "\u007f", "\\x7f"],
  [133, "\u0085", "\\x85"],
  [160, "\u00a0", "\\xa0"],
  [500, "a\u202eb", "a\\u{202e}b"],
  [501, "\u200b", "\\u{200b}"],
  [502, "\ud800", "\\u{d800}"],
  [503, "\u0301", "◌\u0301"],
  [504, "<0xE2>", "<0xE2>"],
  [51, "3", "'3'"],
  [600, "#300", "'#300'"],
  [35, "#", "#"],
  [300, null, "#300"],
  [300, undefined, "#300"],
  [301, "", "#301"],
  [900, "x".repeat(40), `${"x".repeat(23)}…`],
  [901, "x".repeat(24), "x".repeat(24)],
  [902, "😀".repeat(40), `${"😀".repeat(23)}…`],
  [903, "<script>&", "<script>&"],
])("token %i, written %j, is named %s", (token, text, name) => expect(tokenName(token, text)).toBe(name));

test("different characters below 256 have different names", () => {
  const names = Array.from({ length: 256 }, (_, code) => tokenName(code, String.fromCharCode(code)));
  expect(new Set(names).size).toBe(256);
  expect(names.join("")).not.toMatch(/\p{C}/u);
});

test("in running text, names are quoted, so that punctuation is no part of the sentence", () => {
  expect(quotedTokens([",", ".", "T", "U", "V"], 3)).toBe("“,”, “.”, “T” and 2 more");
  expect(quotedTokens(["a", "b", "c"], 3)).toBe("“a”, “b” and “c”");
  expect(quotedTokens([","], 3)).toBe("“,”");
  expect(quotedTokens([tokenName(51, "3"), tokenName(600, "#300"), tokenName(300, null)], 3)).toBe("“3”, “#300” and #300");
  expect(quotedTokens(Array(2001).fill("x"), 1)).toBe("“x” and 2,000 more");
  expect(quotedTokens([], 3)).toBe("");
});

const named = (name: string, differs: Record<string, unknown>, directory = name) => ({ name, differs, directory });

test("a run is named by its own name with the differing fields behind it", () => {
  expect(runNames([named("quick", { seed: 42, threads: 1 }), named("quick", { seed: 43, threads: 1 })])).toEqual(["quick · seed 42", "quick · seed 43"]);
  expect(runNames([named("a", { "training.learning_rate": 5e-4 }), named("b", { "training.learning_rate": 1e-3 })])).toEqual([
    "a · learning_rate 5e-4",
    "b · learning_rate 0.001",
  ]);
  expect(runNames([named("only", { seed: 1 })])).toEqual(["only"]);
});

test("fields whose last parts are alike have their full paths", () => {
  const runs = [named("a", { "init.kind": "x", "noise.kind": "u" }), named("a", { "init.kind": "y", "noise.kind": "v" })];
  expect(runNames(runs)).toEqual(["a · init.kind x, noise.kind u", "a · init.kind y, noise.kind v"]);
});

test("a field that a name of a trial already contains is not repeated", () => {
  const arms = [named("b-seed-1", { arm: "b", seed: 1 }), named("c-seed-2", { arm: "c", seed: 2 })];
  expect(runNames(arms)).toEqual(["b-seed-1", "c-seed-2"]);
  const trials = [0.1, 0.2].map((sigma) => named(`s init.sigma=${sigma}`, { "init.sigma": sigma }));
  expect(runNames(trials)).toEqual(["s init.sigma=0.1", "s init.sigma=0.2"]);
});

test("runs that are alike in all fields have the end of their directories, and no name controls a terminal", () => {
  expect(runNames([named("a", {}, "runs-a-11111111"), named("a", {}, "runs-a-22222222")])).toEqual(["a (11111111)", "a (22222222)"]);
  expect(runNames([named("a\u001b[2Jb", {})])[0]).not.toContain("\u001b");
});

test("names stay short however many fields differ", () => {
  const many = (value: number) => named("n".repeat(100), Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`training.field_${at}`, value])));
  const [first = "", second = ""] = runNames([many(1), many(2)]);
  expect(first).toBe(`${"n".repeat(39)}… · field_0 1, field_1 1`);
  expect(second).toBe(`${"n".repeat(39)}… · field_0 2, field_1 2`);
});

test("trials are named by the values that differ between them, by their short names", () => {
  const batch = "training.per_device_train_batch_size";
  const sets = [1, 2].flatMap((seed) => [3e-4, 0.001].map((lr) => ({ "training.learning_rate": lr, [batch]: 8, seed })));
  expect(trialNames(sets)).toEqual(["lr 3e-4 · seed 1", "lr 0.001 · seed 1", "lr 3e-4 · seed 2", "lr 0.001 · seed 2"]);
  expect(trialNames([{ [batch]: 8 }, { [batch]: 16 }, {}])).toEqual(["batch 8", "batch 16", "base"]);
  expect(
    trialNames([
      { "a.size": 1, "b.size": 1 },
      { "a.size": 2, "b.size": 3 },
    ]),
  ).toEqual(["a.size 1 · b.size 1", "a.size 2 · b.size 3"]);
  expect(trialNames([{ seed: 7 }])).toEqual(["seed 7"]);
});
