import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Tokenizer } from "@huggingface/tokenizers";
import { describe, expect, it, test } from "vitest";
import { sentencepieceDefinition, unusedTokens } from "../../../src/formats/unused-tokens.js";
import { temporaryDirectory } from "./reference-python.js";

/** Models that sentencepiece made, with its own pieces and encodings (make_models.py there). */
const fixtures = fileURLToPath(new URL("sentencepiece/", import.meta.url));
const expected: Record<string, { pieces: string[]; sentences: Record<string, number[]> }> = JSON.parse(readFileSync(join(fixtures, "expected.json"), "utf8"));

describe.each(["bpe", "unigram"])("a %s model of sentencepiece", (kind) => {
  const { pieces, sentences } = expected[kind] ?? { pieces: [], sentences: {} };
  const file = readFileSync(join(fixtures, `${kind}.model`));
  const tokenizer = new Tokenizer({ pre_tokenizer: null, post_processor: null, ...sentencepieceDefinition(file) }, {});

  it("has the pieces of sentencepiece", () => {
    expect(pieces.map((_, id) => tokenizer.id_to_token(id))).toEqual(pieces);
  });

  // The library falls back to bytes in models of byte pairs only. No piece needs it.
  const known = Object.keys(sentences).filter((sentence) => kind === "bpe" || !sentence.includes("ß"));

  it.each(known)("encodes %j as sentencepiece does", (sentence) => {
    expect(tokenizer.encode(sentence, { add_special_tokens: false }).ids).toEqual(sentences[sentence]);
  });

  it("yields the tokens that no text contains: impossible bytes, and rows beyond it", () => {
    const directory = temporaryDirectory();
    copyFileSync(join(fixtures, `${kind}.model`), join(directory, "tokenizer.model"));
    const found = unusedTokens(directory, pieces.length + 2);
    const of = (reason: string) => [...(found?.reasons ?? [])].flatMap(([id, each]) => (each === reason ? [id] : []));
    const impossible = ["C0", "C1", "F5", "F6", "F7", "F8", "F9", "FA", "FB", "FC", "FD", "FE", "FF"];
    expect(of("byte that no UTF-8 has").map((id) => pieces[id])).toEqual(impossible.map((byte) => `<0x${byte}>`));
    expect(of("beyond the tokenizer")).toEqual([pieces.length, pieces.length + 1]);
    expect(found?.file).toBe("tokenizer.model");
  });

  it("is refused with its file if it is truncated", () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "tokenizer.model"), file.subarray(0, file.length - 3));
    expect(() => unusedTokens(directory, 10)).toThrow(expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringContaining("tokenizer.model") }));
  });
});

test("a piece that the model marks as unused counts as unused", () => {
  // One field 1 per piece: text (1), score (2), type (3); type 5 is UNUSED.
  const piece = (text: string, type: number) => {
    const bytes = Buffer.from(text);
    const message = Buffer.concat([Buffer.from([0x0a, bytes.length]), bytes, Buffer.from([0x15, 0, 0, 0, 0, 0x18, type])]);
    return Buffer.concat([Buffer.from([0x0a, message.length]), message]);
  };
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "tokenizer.model"), Buffer.concat([piece("<unk>", 2), piece("▁", 1), piece("old", 5)]));
  expect(unusedTokens(directory, 3)?.reasons.get(2)).toBe("named as unused");
});
