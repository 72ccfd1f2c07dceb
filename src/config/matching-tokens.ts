import { bytesAsText } from "../text/bytes-as-text.js";

/** Bytes that there are: a vocabulary of all of them is that of UTF-8. The tokens of a larger one are pieces of words, which a configuration does not know. */
export const mostByteTokens = 256;
/** Bytes of ASCII, each a character. */
export const asciiTokens = 128;

/** How the tokens of a vocabulary of bytes are written: those of ASCII are characters, the others numbers, as `<0xE2>`. */
export function byteText(token: number): string {
  return bytesAsText(Uint8Array.of(token));
}

/** The text of a byte that is a character; a number such as `<0xE2>` has letters that no text has. */
function characterText(token: number): string | null {
  return token < asciiTokens ? byteText(token) : null;
}

/** The regular expression of a pattern such as `/[a-z]/i`. @throws {SyntaxError} for one that is none. */
export function expressionOf(pattern: string): RegExp {
  const end = pattern.lastIndexOf("/");
  return new RegExp(pattern.slice(1, end), pattern.slice(end + 1));
}

/**
 * The tokens whose text a pattern matches, ascending.
 *
 * @param textOf how a tokenizer writes them; tokens are bytes where it is left out.
 * @throws {SyntaxError} for a pattern that is no regular expression.
 */
export function matchingTokens(pattern: string, vocabulary: number, textOf: (token: number) => string | null = characterText): number[] {
  const expression = expressionOf(pattern);
  return Array.from({ length: vocabulary }, (_, token) => token).filter((token) => {
    const text = textOf(token);
    return text !== null && expression.test(text);
  });
}
