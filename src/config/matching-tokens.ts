import { bytesAsText } from "../text/bytes-as-text.js";

/** Bytes that there are: a vocabulary of all of them is that of UTF-8. The tokens of a larger one are pieces of words, which a configuration does not know. */
export const mostByteTokens = 256;
/** Bytes of ASCII, each a character. */
export const asciiTokens = 128;

/** How the tokens of a vocabulary of bytes are written: those of ASCII are characters, the others numbers, as `<0xE2>`. */
export function byteText(token: number): string {
  return bytesAsText(Uint8Array.of(token));
}

/** The tokens of a vocabulary of bytes whose ASCII character a pattern such as `/[a-z]/i` matches, ascending. @throws {SyntaxError} for one that is no regular expression. */
export function matchingTokens(pattern: string, vocabulary: number): number[] {
  const end = pattern.lastIndexOf("/");
  const expression = new RegExp(pattern.slice(1, end), pattern.slice(end + 1));
  return Array.from({ length: Math.min(vocabulary, asciiTokens) }, (_, token) => token).filter((token) => expression.test(byteText(token)));
}
