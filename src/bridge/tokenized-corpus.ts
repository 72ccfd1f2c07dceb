import { accessSync, constants, statSync } from "node:fs";
import { configInvalid } from "../config/config-invalid.js";
import { BhBridgeError } from "../errors.js";
import { resolvePython } from "../python/require-packages.js";
import { countTokens, type TrainedTokenizer } from "../python/run-python-script.js";
import { sha256OfFile } from "../runs/checksums.js";
import type { CorpusFacts } from "../runs/run-manifest.js";
import { count } from "../text/format.js";

/** Number of tokens at the end of a corpus that are held out. Python splits it in the same way. */
export function heldOutTokens(fraction: number, tokens: number): number {
  return Math.trunc(tokens * fraction);
}

/** Suggested fractions are multiples of 1 / steps. */
const steps = 10_000;

/**
 * Problem with the held-out fraction of a corpus and its remedy, undefined for none. Each of the two parts requires at least one window.
 * @param windowTokens tokens of a window; the corpus has at least as many.
 */
export function heldOutProblem(fraction: number, tokens: number, windowTokens: number): string | undefined {
  const heldOut = heldOutTokens(fraction, tokens);
  const trained = tokens - heldOut;
  if (fraction === 0 || (heldOut >= windowTokens && trained >= windowTokens)) return undefined;
  const [part, size] = heldOut < windowTokens ? ["held-out", heldOut] : ["training", trained];
  const problem = `${fraction} of ${tokens} tokens: the ${part} part has ${size} tokens, but a window requires ${windowTokens}`;
  const smallest = Math.ceil((windowTokens / tokens) * steps) / steps;
  const largest = Math.floor((1 - windowTokens / tokens) * steps) / steps;
  return smallest > largest ? `${problem}. The text is too short to hold anything out: set it to 0` : `${problem}. Set it from ${smallest} to ${largest}`;
}

interface TokenizedText {
  readonly path: string;
  /** Path of a tokenizer, or how to train one. */
  readonly tokenizer: string | TrainedTokenizer;
  readonly vocabulary: number;
  readonly windowLength: number;
  readonly heldOut: number;
  /** Interpreter of the configuration. */
  readonly python: string | undefined;
}

/**
 * Read a corpus with a tokenizer: UTF-8, all newlines as LF. Python counts the tokens, since it also trains on them.
 * @throws {BhBridgeError} as `readCorpus` and `resolvePython`; `CONFIG_INVALID` for a tokenizer that is missing or has more tokens than the model has rows.
 */
export async function readTokenizedCorpus(
  { path, tokenizer, vocabulary, windowLength, heldOut, python }: TokenizedText,
  signal?: AbortSignal,
): Promise<CorpusFacts> {
  if (typeof tokenizer === "string") requireFile(tokenizer, "data.tokenizer"); // before Python starts
  requireFile(path, "data.corpus");
  const { path: interpreter } = await resolvePython({ ...(python !== undefined && { config: python }) }, signal);
  const counts = await countTokens(interpreter, path, tokenizer, signal);
  if (counts.vocabulary > vocabulary) {
    const message = `${counts.tokenizer} has ${count(counts.vocabulary, "token")}, but model.vocab_size is ${vocabulary}: set it to ${counts.vocabulary} or more`;
    throw configInvalid([{ path: "data.tokenizer", message }]);
  }
  if (!counts.restored) {
    throw new BhBridgeError("CORPUS_INVALID", `${path} cannot be restored from its tokens: ${counts.tokenizer} drops parts of it. Train a tokenizer on it`);
  }
  const { tokens } = counts;
  if (tokens < windowLength + 1) {
    throw new BhBridgeError(
      "CORPUS_INVALID",
      `${path} has ${count(tokens, "token")}, but a window requires ${windowLength + 1}. Use a longer text, or a smaller data.window_length`,
    );
  }
  const problem = heldOutProblem(heldOut, tokens, windowLength + 1);
  if (problem !== undefined) throw configInvalid([{ path: "data.held_out", message: `${problem} (the corpus is ${path})` }]);
  const live = new Set(counts.live);
  const deadTokens = Array.from({ length: vocabulary }, (_, token) => token).filter((token) => !live.has(token));
  return {
    path,
    sha256: sha256OfFile(path),
    bytes: statSync(path).size,
    characters: counts.characters,
    filtered: 0,
    tokens,
    distinct: live.size,
    dead: deadTokens.length,
    deadTokens,
    windows: tokens - heldOutTokens(heldOut, tokens) - windowLength,
    tokenizer: { path: counts.tokenizer, sha256: sha256OfFile(counts.tokenizer), vocabulary: counts.vocabulary, unreachable: counts.unreachable },
  };
}

function requireFile(path: string, field: string): void {
  try {
    accessSync(path, constants.R_OK);
    if (!statSync(path).isFile()) throw new Error("it is not a file");
  } catch (cause) {
    throw configInvalid([{ path: field, message: `${path} cannot be read: ${(cause as Error).message}` }], cause);
  }
}
