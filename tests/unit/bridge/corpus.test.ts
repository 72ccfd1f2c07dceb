import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { corpusOf, readCorpus } from "../../../src/bridge/corpus.js";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";

const folder = mkdtempSync(join(tmpdir(), "corpus-"));
afterAll(() => rmSync(folder, { recursive: true }));

function corpus(text: string | Uint8Array): string {
  const path = join(folder, `${Math.random()}.txt`);
  writeFileSync(path, text);
  return path;
}

test("facts of a text, counted by hand", async () => {
  const text = "aab\r\nzz\rq\n"; // 10 bytes; as Python reads it: a a b \n z z \n q \n, 9 characters
  const path = corpus(text);
  expect(await readCorpus(path, 123, 2, 0)).toMatchObject({
    path,
    sha256: createHash("sha256").update(text).digest("hex"),
    bytes: 10,
    characters: 9,
    tokens: 9,
    filtered: 0,
    distinct: 5, // \n, a, b, q, z
    dead: 118,
    windows: 7,
  });
});

test("characters at or above the vocabulary are filtered, and tokens that never appear are dead", async () => {
  const facts = await readCorpus(corpus("abcabc"), 99, 2, 0); // c is 99
  expect(facts).toMatchObject({ tokens: 4, filtered: 2, distinct: 2, dead: 97, windows: 2 });
  expect(facts.deadTokens).not.toContain(97);
  expect(facts.deadTokens.at(-1)).toBe(96);
});

test("the held-out part is taken from the end", async () => {
  expect((await readCorpus(corpus("a".repeat(100)), 128, 10, 0.25)).windows).toBe(65);
});

// 100 tokens, windows of 11: a part of 10 has none, one of 11 has one. Proposals are checked by trying them.
test.each([
  [0.0001, /data\.held_out: 0\.0001 of 100 tokens: the held-out part has 0 tokens, but a window requires 11\. Set it from 0\.11 to 0\.89/],
  [0.1, /the held-out part has 10 tokens, but a window requires 11\. Set it from 0\.11 to 0\.89/],
  [0.9, /the training part has 10 tokens, but a window requires 11\. Set it from 0\.11 to 0\.89/],
])("a held-out fraction of %d that leaves a part without a window is a mistake in the configuration", async (fraction, message) => {
  const path = corpus("a".repeat(100));
  await expect(readCorpus(path, 128, 10, fraction)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringMatching(message),
    issues: [{ path: "data.held_out" }],
  });
  expect((await readCorpus(path, 128, 10, 0.11)).windows).toBe(79);
  expect((await readCorpus(path, 128, 10, 0.89)).windows).toBe(1);
});

test("of a text with less than two windows nothing can be held out", async () => {
  await expect(readCorpus(corpus("a".repeat(20)), 128, 10, 0.5)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining("The text is too short to hold anything out: set it to 0"),
  });
});

test.each([
  ["a file that is not there", () => join(folder, "none"), /none: there is no such file/],
  ["a folder", () => folder, /it is a folder/],
  ["an empty file", () => corpus(""), /is empty, but a window requires 4/],
  ["a text that is too short", () => corpus("abc"), /has 3 tokens \(of 3 characters\), but a window requires 4/],
  [
    "a text with other letters",
    () => corpus("ok\nna\u00efve caf\u00e9"),
    /not ASCII: byte 0xc3 at offset 5, line 2 \(4 such bytes in all\).*Or set model\.vocab_size to 256/,
  ],
])("%s is refused", async (_, path, message) => {
  await expect(readCorpus(path(), 128, 3, 0)).rejects.toMatchObject({ code: "CORPUS_INVALID", message: expect.stringMatching(message) });
});

test("a vocabulary that leaves out most of the text is told with the one that the text needs", async () => {
  const refused = readCorpus(corpus("plain words\n".repeat(20)), 4, 3, 0); // w is byte 119
  await expect(refused).rejects.toMatchObject({
    code: "CORPUS_INVALID",
    message: expect.stringMatching(/model\.vocab_size 4 is too small .*only 0 of 240 characters are\. Set model\.vocab_size to 120 or more/),
  });
});

test("with all 256 bytes the text is UTF-8, and its bytes are the tokens", async () => {
  const text = "na\u00efve\r\ncaf\u00e9 \u20ac\n"; // 11 characters with the newlines as LF; ï and é take two bytes, € three
  const facts = await readCorpus(corpus(text), 256, 3, 0);
  const bytes = new TextEncoder().encode(text.replace("\r\n", "\n"));
  expect(facts).toMatchObject({ bytes: bytes.length + 1, characters: 13, tokens: bytes.length, filtered: 0, distinct: new Set(bytes).size });
  expect(facts.deadTokens).toEqual(Array.from({ length: 256 }, (_, token) => token).filter((token) => !bytes.includes(token)));
});

test.each([
  ["a byte of another encoding", Uint8Array.from([0x6f, 0x6b, 0x0a, 0x6e, 0x61, 0xef, 0x76, 0x65]), /not UTF-8: byte 0x76 at offset 6, line 2\. Convert it/],
  ["a character that is cut off", Uint8Array.from([0x6f, 0x6b, 0x6f, 0x6b, 0xe2, 0x82]), /not UTF-8: it ends within a character/],
])("with all 256 bytes %s is refused", async (_, bytes, message) => {
  await expect(readCorpus(corpus(bytes), 256, 3, 0)).rejects.toMatchObject({ code: "CORPUS_INVALID", message: expect.stringMatching(message) });
});

test("a newline and a foreign letter at the border of two chunks count as anywhere else", async () => {
  const chunk = 1 << 20;
  const text = `${"a".repeat(chunk - 1)}\r\n${"b".repeat(chunk)}`;
  expect(await readCorpus(corpus(text), 128, 3, 0)).toMatchObject({ bytes: 2 * chunk + 1, characters: 2 * chunk, distinct: 3 });
  await expect(readCorpus(corpus(`${text}\u00ef`), 128, 3, 0)).rejects.toMatchObject({ message: expect.stringContaining(`offset ${2 * chunk + 1}, line 2`) });
});

test("reading is cancelled by its signal", async () => {
  await expect(readCorpus(corpus("abcabc"), 128, 3, 0, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});

test("windows side by side are counted as Python cuts them, without what is held out", async () => {
  const path = corpus("a".repeat(100));
  const windows = async (...set: string[]) =>
    (await corpusOf(await resolveRunConfig({ set: [`data.corpus=${path}`, "data.window_length=10", "data.windows=chunks", ...set] }))).windows;
  expect(await Promise.all([windows(), windows("data.label_shift=causal"), windows("data.label_shift=causal", "data.held_out=0.25")])).toEqual([9, 10, 7]);
});

test("a batch that windows side by side never fill is refused where only full ones are wanted", async () => {
  const set = [`data.corpus=${corpus("a".repeat(100))}`, "data.window_length=10", "data.windows=chunks", "training.dataloader_drop_last=true"];
  await expect(corpusOf(await resolveRunConfig({ set }))).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "training.per_device_train_batch_size", message: expect.stringContaining("the text has 9 windows") }],
  });
});
