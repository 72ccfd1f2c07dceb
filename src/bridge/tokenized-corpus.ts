import { accessSync, constants, statSync } from "node:fs";
import { configInvalid } from "../config/config-invalid.js";
import { BhBridgeError } from "../errors.js";
import { resolvePython } from "../python/require-packages.js";
import { type CountedText, countTokens, type TokenCounts, type TrainedTokenizer } from "../python/run-python-script.js";
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

/** How windows are cut from separate documents. */
export interface WindowCut {
  /** Tokens of a window. */
  readonly length: number;
  /** Tokens that a training window reads, including those of its labels. */
  readonly span: number;
  /** Tokens between the starts of two training windows. */
  readonly stride: number;
}

interface SeparateWindows {
  /** For training. */
  readonly windows: number;
  readonly heldOut: number;
}

/** The windows within documents, as Python cuts them. @param lengths tokens of each document. */
export function separateWindows(lengths: readonly number[], heldOut: number, { length, span, stride }: WindowCut): SeparateWindows {
  const tokens = lengths.reduce((sum, each) => sum + each, 0);
  const middle = tokens - heldOutTokens(heldOut, tokens);
  const fitting = (size: number, spanned: number, apart: number) => (size < spanned ? 0 : Math.floor((size - spanned) / apart) + 1);
  let [windows, heldOutWindows, begin] = [0, 0, 0];
  for (const each of lengths) {
    const end = begin + each;
    windows += fitting(Math.min(end, middle) - begin, span, stride);
    heldOutWindows += fitting(end - Math.max(begin, middle), length + 1, length);
    begin = end;
  }
  return { windows, heldOut: heldOutWindows };
}

/** The training windows of separate documents. @throws {BhBridgeError} `CORPUS_INVALID` or `CONFIG_INVALID` if there are none. */
export function requireSeparateWindows(path: string, fraction: number, { span, length }: WindowCut, { windows, heldOut }: SeparateWindows): number {
  if (windows === 0) {
    const message = `${path} has no document of ${count(span, "token")}, as a window requires. Use a smaller data.window_length, or join the documents with data.documents=pack`;
    throw new BhBridgeError("CORPUS_INVALID", message);
  }
  if (fraction === 0 || heldOut > 0) return windows;
  const message = `${fraction} of ${path} has no document of ${count(length + 1, "token")}, as a window requires: set a larger fraction, or 0`;
  throw configInvalid([{ path: "data.held_out", message }]);
}

/** Require enough tokens for a window of both parts. @throws {BhBridgeError} `CORPUS_INVALID`, `CONFIG_INVALID`. */
export function requireWindows({
  path,
  tokens,
  characters,
  windowTokens,
  heldOut,
}: Record<"tokens" | "windowTokens" | "heldOut", number> & { path: string; characters?: number }): void {
  if (tokens < windowTokens) {
    const of = characters === undefined ? "" : ` (of ${count(characters, "character")})`;
    const size = tokens === 0 && characters === 0 ? "is empty" : `has ${count(tokens, "token")}${of}`;
    throw new BhBridgeError("CORPUS_INVALID", `${path} ${size}, but a window requires ${windowTokens}. Use a longer text, or a smaller data.window_length`);
  }
  const problem = heldOutProblem(heldOut, tokens, windowTokens);
  if (problem !== undefined) throw configInvalid([{ path: "data.held_out", message: `${problem} (the corpus is ${path})` }]);
}

export interface TokenizedText {
  /** Of the prepared text. */
  readonly path: string;
  /** Path of the text, if it is not `path`. */
  readonly name?: string;
  /** Path of a tokenizer or of a directory with one, or how to train one. */
  readonly tokenizer: string | TrainedTokenizer;
  readonly vocabulary: number;
  readonly windowLength: number;
  readonly heldOut: number;
  /** How windows are cut if documents are separate. */
  readonly separate?: WindowCut | undefined;
  /** Interpreter of the configuration. */
  readonly python: string | undefined;
}

/**
 * Read a corpus with a tokenizer: UTF-8, all newlines as LF. Python counts the tokens, since it also trains on them.
 * @throws {BhBridgeError} as `readCorpus` and `resolvePython`; `CONFIG_INVALID` for a tokenizer that is missing or has more tokens than the model has rows.
 */
export async function readTokenizedCorpus(
  { path, name = path, tokenizer, vocabulary, windowLength, heldOut, separate, python }: TokenizedText,
  signal?: AbortSignal,
): Promise<CorpusFacts> {
  requireFile(path, "data.corpus");
  const cut = separate && { ...separate, held_out: heldOut };
  const counts = await countWith(tokenizer, { corpus: path, name, separate: cut }, { vocabulary, python }, signal);
  const { tokens } = counts;
  requireWindows({ path: name, tokens, windowTokens: windowLength + 1, heldOut });
  const live = new Set(counts.live);
  const deadTokens = Array.from({ length: vocabulary }, (_, token) => token).filter((token) => !live.has(token));
  return {
    path: name,
    sha256: sha256OfFile(path),
    bytes: statSync(path).size,
    characters: counts.characters,
    filtered: 0,
    tokens,
    distinct: live.size,
    dead: deadTokens.length,
    deadTokens,
    windows:
      separate && counts.separate ? requireSeparateWindows(name, heldOut, separate, counts.separate) : tokens - heldOutTokens(heldOut, tokens) - windowLength,
    ...(counts.documents > 1 && { documents: counts.documents, ...(!separate && { joint: counts.joint }) }),
    tokenizer: tokenizerFacts(counts),
  };
}

/** Count a text in Python, and require that the model has a row for each token of the tokenizer. */
export async function countWith(
  tokenizer: string | TrainedTokenizer,
  text: CountedText,
  { vocabulary, python }: Pick<TokenizedText, "vocabulary" | "python">,
  signal?: AbortSignal,
): Promise<TokenCounts> {
  if (typeof tokenizer === "string" && !isDirectory(tokenizer)) requireFile(tokenizer, "data.tokenizer"); // before Python starts
  const { path: interpreter } = await resolvePython({ ...(python !== undefined && { config: python }) }, signal);
  const counts = await countTokens(interpreter, text, tokenizer, signal);
  if (counts.vocabulary <= vocabulary) return counts;
  const message = `${counts.tokenizer} has ${count(counts.vocabulary, "token")}, but model.vocab_size is ${vocabulary}: set it to ${counts.vocabulary} or more`;
  throw configInvalid([{ path: "data.tokenizer", message }]);
}

/** What a run records of a tokenizer. */
export function tokenizerFacts({ tokenizer: path, vocabulary, unreachable, restored }: TokenCounts): NonNullable<CorpusFacts["tokenizer"]> {
  return { path, sha256: sha256OfFile(path), vocabulary, unreachable, ...(!restored && { restored: false }) };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Require a readable file. @throws {BhBridgeError} `CONFIG_INVALID` that names the field. */
export function requireFile(path: string, field: string): void {
  try {
    accessSync(path, constants.R_OK);
    if (!statSync(path).isFile()) throw new Error("it is not a file");
  } catch (cause) {
    throw configInvalid([{ path: field, message: `${path} cannot be read: ${(cause as Error).message}` }], cause);
  }
}
