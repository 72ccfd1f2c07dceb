import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { heldOutProblem, heldOutTokens, readTokenizedCorpus } from "../../../src/bridge/tokenized-corpus.js";
import { realPython } from "../../bridge/real-python.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

const folder = temporaryDirectory();
const path = join(folder, "text.txt");
const tokenizer = join(folder, "words.json");
const text = "das süße Haus\r\ndas Haus"; // CRLF is one newline, as Python reads it
writeFileSync(path, text);
// A token is what stands between spaces, a space, or a newline: the tokens can be counted by hand.
const vocabulary = ["das", "süße", "Haus", " ", "\n", "never", "two words"];
expectedFrom(
  `
import json, sys
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
words = json.loads(sys.argv[2])
tokenizer = Tokenizer(models.WordLevel({word: token for token, word in enumerate(words)}, unk_token="never"))
tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\\s"), behavior="isolated")
tokenizer.decoder = decoders.Fuse()
tokenizer.save(sys.argv[1])
print("null")
`,
  tokenizer,
  JSON.stringify(vocabulary),
);

const given = { path, tokenizer, vocabulary: 9, windowLength: 3, heldOut: 0, python: realPython };
const sha256 = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");

test("facts of a text, counted by hand", async () => {
  expect(await readTokenizedCorpus(given)).toEqual({
    path,
    sha256: sha256(text),
    bytes: 25,
    characters: 22,
    filtered: 0,
    tokens: 9, // das, space, süße, space, Haus, newline, das, space, Haus
    distinct: 5,
    dead: 4,
    deadTokens: [5, 6, 7, 8], // of the vocabulary of the model, which is larger
    windows: 6,
    tokenizer: { path: tokenizer, sha256: sha256(readFileSync(tokenizer)), vocabulary: 7, unreachable: [6] },
  });
});

test("the held-out part is taken from the end", async () => {
  expect((await readTokenizedCorpus({ ...given, heldOut: 0.45 })).windows).toBe(2); // 4 of 9 tokens are held out
});

test("a model with fewer rows than there are tokens is told how many it needs", async () => {
  await expect(readTokenizedCorpus({ ...given, vocabulary: 6 })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "data.tokenizer", message: expect.stringContaining("has 7 tokens, but model.vocab_size is 6: set it to 7 or more") }],
  });
});

test("a text that does not come back from its tokens is noted", async () => {
  const other = join(folder, "other.txt");
  writeFileSync(other, "das kleine Haus");
  expect((await readTokenizedCorpus({ ...given, path: other })).tokenizer).toMatchObject({ restored: false });
});

test("a directory with a tokenizer.json is that file", async () => {
  const directory = temporaryDirectory();
  copyFileSync(tokenizer, join(directory, "tokenizer.json"));
  expect((await readTokenizedCorpus({ ...given, tokenizer: directory })).tokenizer?.path).toBe(join(directory, "tokenizer.json"));
});

test("packages that converting a tokenizer requires are named with the command that installs them", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "tiktoken.model"), "IQ== 0\n");
  await expect(readTokenizedCorpus({ ...given, tokenizer: directory })).rejects.toMatchObject({
    code: "PYTHON_DEPENDENCY_MISSING",
    message: expect.stringContaining(`${realPython} -m pip install tiktoken`),
  });
});

test("a text without a window is refused, and a part that leaves none", async () => {
  await expect(readTokenizedCorpus({ ...given, windowLength: 9 })).rejects.toMatchObject({
    code: "CORPUS_INVALID",
    message: expect.stringContaining("a window requires 10"),
  });
  await expect(readTokenizedCorpus({ ...given, heldOut: 0.1 })).rejects.toMatchObject({ code: "CONFIG_INVALID", issues: [{ path: "data.held_out" }] });
});

test("a file that is not there is told with its field, and one that is no tokenizer with what the library says", async () => {
  const missing = join(folder, "missing");
  await expect(readTokenizedCorpus({ ...given, tokenizer: missing })).rejects.toMatchObject({ code: "CONFIG_INVALID", issues: [{ path: "data.tokenizer" }] });
  await expect(readTokenizedCorpus({ ...given, path: missing })).rejects.toMatchObject({ code: "CONFIG_INVALID", issues: [{ path: "data.corpus" }] });
  await expect(readTokenizedCorpus({ ...given, tokenizer: path })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "data.tokenizer", message: expect.stringContaining("is not a tokenizer of Hugging Face's: ") }],
  });
});

test.each([
  [0, 1000, 0],
  [0.1, 1000, 100],
  [0.1, 1009, 100], // Python's int() cuts as well
  [0.999, 10, 9],
])("%d of %i tokens are %i", (fraction, tokens, heldOut) => {
  expect(heldOutTokens(fraction, tokens)).toBe(heldOut);
});

test.each([
  [0, 129], // nothing is held out
  [0.129, 1000], // exactly one window
  [0.871, 1000], // exactly one is left
])("%d of %i tokens leaves a window of 129 on both sides", (fraction, tokens) => {
  expect(heldOutProblem(fraction, tokens, 129)).toBeUndefined();
});

test.each([
  [0.128, 1000, "0.128 of 1000 tokens: the held-out part has 128 tokens, but a window requires 129. Set it from 0.129 to 0.871"],
  [0.872, 1000, "0.872 of 1000 tokens: the training part has 128 tokens, but a window requires 129. Set it from 0.129 to 0.871"],
  [0.5, 200, "0.5 of 200 tokens: the held-out part has 100 tokens, but a window requires 129. The text is too short to hold anything out: set it to 0"],
])("%d of %i tokens does not, and what does is proposed", (fraction, tokens, problem) => {
  expect(heldOutProblem(fraction, tokens, 129)).toBe(problem);
});

test("whatever is proposed has no problem itself", () => {
  for (const tokens of [258, 259, 300, 777, 12_345, 1_000_003]) {
    const [, from, to] = /Set it from (\S+) to (\S+)$/.exec(heldOutProblem(1e-9, tokens, 129) ?? "") ?? [];
    if (from === undefined) expect(tokens).toBeLessThan(259);
    else for (const fraction of [Number(from), Number(to)]) expect(heldOutProblem(fraction, tokens, 129), `${fraction} of ${tokens}`).toBeUndefined();
  }
});
