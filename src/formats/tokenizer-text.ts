import { readFileSync } from "node:fs";
import { z } from "zod";
import type { TokenText } from "./row-tokens.js";

const asciiBytes = 128;
/** Lengths of a character in UTF-8. */
const lengths = [1, 2, 3, 4] as const;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 as text; a byte that belongs to no whole character is written as `<0xE2>`. */
export function bytesAsText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const [length, character] = characterAt(bytes, at) ?? [1, hexadecimal(bytes[at] ?? 0)];
    text += character;
    at += length;
  }
  return text;
}

/** The character that begins at a byte, and its length; undefined where none does. */
function characterAt(bytes: Uint8Array, at: number): [number, string] | undefined {
  const first = bytes[at] ?? 0;
  if (first < asciiBytes) return [1, String.fromCharCode(first)];
  for (const length of lengths) {
    try {
      return [length, decoder.decode(bytes.subarray(at, at + length))];
    } catch {
      // not a whole character yet
    }
  }
  return undefined;
}

function hexadecimal(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

const tokenizerSchema = z.looseObject({
  model: z.looseObject({ vocab: z.union([z.record(z.string(), z.int()), z.array(z.tuple([z.string(), z.number()]))]) }),
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })).default([]),
  decoder: z.looseObject({ type: z.string(), decoders: z.array(z.looseObject({ type: z.string() })).optional() }).nullish(),
});

/** How the tokens of a tokenizer.json are written. Bytes that are no whole characters are written as `<0xE2>`. */
export function tokenizerText(path: string): TokenText {
  const { model, added_tokens, decoder } = tokenizerSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  const isOfBytes = [decoder, ...(decoder?.decoders ?? [])].some((each) => each?.type === "ByteLevel");
  const shown = isOfBytes ? textOfBytes : (text: string) => text;
  const pairs: [string, number][] = Array.isArray(model.vocab) ? model.vocab.map(([text], id) => [text, id]) : Object.entries(model.vocab);
  const texts = new Map(pairs.map(([text, id]) => [id, shown(text)]));
  for (const { id, content } of added_tokens) texts.set(id, content);
  return (token) => texts.get(token) ?? null;
}

const printable: readonly (readonly [number, number])[] = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
];
const isPrintable = (byte: number) => printable.some(([from, to]) => byte >= from && byte <= to);
const hidden = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !isPrintable(byte));
/** The byte that a character stands for: printable ones for themselves, the others for characters from 256 on, as GPT-2's tokenizer has it. */
const byteOf = new Map([...Array(256).keys()].map((byte) => [String.fromCharCode(isPrintable(byte) ? byte : 256 + hidden.indexOf(byte)), byte]));

/** The text of a token of a byte-level vocabulary, whose characters stand for bytes. */
export function textOfBytes(text: string): string {
  return bytesAsText(Uint8Array.from(text, (character) => byteOf.get(character) ?? 0x3f));
}
