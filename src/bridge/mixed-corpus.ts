import { createHash } from "node:crypto";
import { configInvalid } from "../config/config-invalid.js";
import type { CorpusFacts } from "../runs/run-manifest.js";

/** A text, what was found in it, and its weight among others. */
export interface WeightedText {
  facts: CorpusFacts;
  weight: number;
}

/**
 * Several texts as one corpus: what is counted in each, together, and the windows that each gives to an epoch.
 *
 * An epoch has as many windows as the texts have: N. Text i gives round(N·s_i) − round(N·s_(i−1)) of them, s_i the weights up to i divided by all weights.
 *
 * @throws {BhBridgeError} `CONFIG_INVALID` where a weight is too small for a window.
 */
export function mixedCorpus(texts: readonly WeightedText[]): CorpusFacts {
  const sum = (of: (facts: CorpusFacts) => number) => texts.reduce((total, { facts }) => total + of(facts), 0);
  const windows = sum((facts) => facts.windows);
  const shares = shareOut(
    windows,
    texts.map(({ weight }) => weight),
  );
  const files = texts.map(({ facts: { path, sha256, bytes, tokens }, weight }, index) => ({
    path,
    sha256,
    bytes,
    tokens,
    weight,
    windows: shares[index] ?? 0,
  }));
  const without = files.find((file) => file.windows === 0);
  if (without) {
    const message = `the weight of ${without.path}, ${without.weight}, gives it none of ${windows} windows: give it a greater one, or leave it out`;
    throw configInvalid([{ path: "data.corpus", message }]);
  }
  const vocabulary = Math.max(...texts.map(({ facts }) => facts.distinct + facts.dead));
  const dead = texts.map(({ facts }) => new Set(facts.deadTokens));
  const deadTokens = Array.from({ length: vocabulary }, (_, token) => token).filter((token) => dead.every((tokens) => tokens.has(token)));
  const tokenizer = texts[0]?.facts.tokenizer;
  return {
    path: files.map(({ path }) => path).join(" + "),
    sha256: createHash("sha256")
      .update(files.map((file) => `${file.sha256} ${file.windows}\n`).join(""))
      .digest("hex"),
    bytes: sum(({ bytes }) => bytes),
    characters: sum(({ characters }) => characters),
    filtered: sum(({ filtered }) => filtered),
    tokens: sum(({ tokens }) => tokens),
    distinct: vocabulary - deadTokens.length,
    dead: deadTokens.length,
    deadTokens,
    windows,
    files,
    ...(tokenizer && { tokenizer }),
  };
}

/** A total in whole parts, as near as can be to given weights. */
function shareOut(total: number, weights: readonly number[]): number[] {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  let weight = 0;
  const ends = weights.map((each) => {
    weight += each;
    return Math.round(total * (weight / all));
  });
  return ends.map((end, index) => end - (ends[index - 1] ?? 0));
}
