import { accessSync, constants, statSync } from "node:fs";
import { configInvalid } from "../config/config-invalid.js";
import { BhBridgeError } from "../errors.js";
import { resolvePython } from "../python/require-packages.js";
import { countTokens, type TrainedTokenizer } from "../python/run-python-script.js";
import { sha256OfFile } from "../runs/checksums.js";
import type { CorpusFacts } from "../runs/run-manifest.js";
import { count } from "../text/format.js";

/** Tokens at the end of a corpus that are not trained on; Python splits it likewise. */
export function heldOutTokens(fraction: number, tokens: number): number {
  return Math.trunc(tokens * fraction);
}

/** Fractions are proposed with so many digits. */
const steps = 10_000;

/**
 * What is wrong with the fraction of a corpus that is held out, and what to set it to: each part takes at least one window. Undefined when all is well.
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

/** A text, and what its tokens are made by and for. */
interface TokenizedText {
  readonly path: string;
  /** Path of a tokenizer, or how one is trained. */
  readonly tokenizer: string | TrainedTokenizer;
  readonly vocabulary: number;
  readonly windowLength: number;
  readonly heldOut: number;
  /** The interpreter that the configuration names. */
  readonly python: string | undefined;
}

/**
 * Read a corpus as a tokenizer makes it tokens: UTF-8, newlines of every system as LF. Python counts them, as Python will train on them.
 * @throws {BhBridgeError} as `readCorpus`, but for text that is not ASCII; `CONFIG_INVALID` for a tokenizer that has more tokens than the model has rows, or is
 *   not there; as `resolvePython`.
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
    const message = `${counts.tokenizer} has ${count(counts.vocabulary, "token")}, and model.vocab_size is ${vocabulary}: set that to ${counts.vocabulary} or more`;
    throw configInvalid([{ path: "data.tokenizer", message }]);
  }
  if (!counts.restored) {
    throw new BhBridgeError(
      "CORPUS_INVALID",
      `${path} does not come back from its tokens as it was: ${counts.tokenizer} leaves something of it out. Train one on it`,
    );
  }
  const { tokens } = counts;
  if (tokens < windowLength + 1) {
    throw new BhBridgeError(
      "CORPUS_INVALID",
      `${path} has ${count(tokens, "token")}: a window takes ${windowLength + 1}. Give a longer text, or a smaller data.window_length`,
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
    tokenizer: {
      path: counts.tokenizer,
      sha256: sha256OfFile(counts.tokenizer),
      vocabulary: counts.vocabulary,
      unreachable: counts.unreachable,
    },
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
