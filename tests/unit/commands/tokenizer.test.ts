import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tokenizerCommand, tokenizerDocumentSchema } from "../../../src/commands/tokenizer.js";
import { python, temporaryDirectory } from "../formats/reference-python.js";
import { captureStdout } from "./capture-stdout.js";

const folder = temporaryDirectory();
const corpus = join(folder, "text.txt");
writeFileSync(corpus, "the cat, the hat, the mat\n".repeat(9));
const train = (out: string, ...more: string[]) =>
  captureStdout(tokenizerCommand(), "train", "--kind", "char-bpe", "--vocab", "14", "--corpus", corpus, "--out", out, "--python", python, "--quiet", ...more);

test("it writes a tokenizer of as many tokens, prints a document that its schema knows, and tells people how it is used", async () => {
  const out = join(folder, "tokenizer.json");
  const document = tokenizerDocumentSchema.parse(JSON.parse(await train(out, "--json")));
  expect(document).toEqual({ schema: "bh-bridge/tokenizer@1", kind: "char-bpe", path: out, vocabulary: 14 });
  const { model } = JSON.parse(readFileSync(out, "utf8")) as { model: { vocab: Record<string, number> } };
  expect(Object.keys(model.vocab)).toHaveLength(14); // " ", ",", a, c, e, h, m, t, newline, and five that are joined
  expect(await train(join(folder, "second.json"))).toContain("--set model.vocab_size=14");
});

test("nothing is replaced, and no folder made", async () => {
  await expect(train(corpus)).rejects.toMatchObject({ code: "FILE_UNWRITABLE", message: expect.stringContaining("already exists") });
  const inside = join(folder, "new", "tokenizer.json");
  await expect(train(inside)).rejects.toMatchObject({ code: "FILE_UNWRITABLE", message: expect.stringContaining("there is no folder") });
  expect(existsSync(join(folder, "new"))).toBe(false);
});
