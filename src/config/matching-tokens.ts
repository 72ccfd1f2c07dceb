/** The tokens of a larger vocabulary are pieces of words, which a configuration does not know. */
export const mostByteTokens = 256;
const asciiTokens = 128;

/** How the tokens of a vocabulary of bytes are written: those of ASCII are characters, the others have no text. */
export function byteText(token: number): string | null {
  return token < asciiTokens ? String.fromCharCode(token) : null;
}

/** The tokens of a vocabulary of bytes whose character a pattern such as `/[a-z]/i` matches, ascending. @throws {SyntaxError} for one that is no regular expression. */
export function matchingTokens(pattern: string, vocabulary: number): number[] {
  const end = pattern.lastIndexOf("/");
  const expression = new RegExp(pattern.slice(1, end), pattern.slice(end + 1));
  return Array.from({ length: vocabulary }, (_, token) => token).filter((token) => {
    const text = byteText(token);
    return text !== null && expression.test(text);
  });
}
