/** Tokens at the end of a corpus that are not trained on; Python splits it likewise. */
export function heldOutTokens(fraction: number, tokens: number): number {
  return Math.trunc(tokens * fraction);
}

/** Fractions are proposed with so many digits. */
const steps = 10_000;

/**
 * What is wrong with the fraction of a corpus that is held out, and what to set it to: each part takes at least one window. Undefined when all is well.
 *
 * @param windowTokens tokens that a window takes; the corpus has at least as many.
 */
export function heldOutProblem(fraction: number, tokens: number, windowTokens: number): string | undefined {
  const heldOut = heldOutTokens(fraction, tokens);
  const trained = tokens - heldOut;
  if (fraction === 0 || (heldOut >= windowTokens && trained >= windowTokens)) return undefined;
  const [part, place] = heldOut < windowTokens ? [heldOut, "is held out"] : [trained, "is left to train on"];
  const said = `${fraction} of ${tokens} tokens: what ${place} has ${part} tokens, and a window takes ${windowTokens}`;
  const smallest = Math.ceil((windowTokens / tokens) * steps) / steps;
  const largest = Math.floor((1 - windowTokens / tokens) * steps) / steps;
  return smallest > largest ? `${said}. The text is too short to hold anything out: set it to 0` : `${said}. Set it from ${smallest} to ${largest}`;
}
