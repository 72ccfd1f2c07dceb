import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { configInvalid } from "../config/config-invalid.js";
import { corpusFiles } from "../config/paths-in-config.js";
import { asciiTokens, matchingTokens, mostByteTokens, type RecordRows } from "../config/record-schema.js";
import type { ResolvedConfig } from "../config/resolve-run-config.js";
import { windowLength } from "../config/run-config-fields.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { tokenizerText } from "../formats/tokenizer-text.js";
import type { CorpusFacts } from "../runs/run-manifest.js";
import { count } from "../text/format.js";
import { type Misfit, TextCounts } from "./text-counts.js";
import { heldOutProblem, heldOutTokens, readTokenizedCorpus } from "./tokenized-corpus.js";

/** Number of windows without overlap, as Python cuts them. @param tokens number of training tokens. */
export function chunkCount(tokens: number, windowLength: number, labelShift: "double" | "causal"): number {
  const ahead = labelShift === "double" ? 1 : 0; // the last label of a chunk is then the first token of the next
  return Math.floor((tokens - ahead) / windowLength);
}

interface WeightedText {
  facts: CorpusFacts;
  weight: number;
}

/**
 * Combine several texts into one corpus: the sums of their counts, and the windows of an epoch per text.
 *
 * An epoch has N windows, the sum over the texts. Text i contributes round(N·s_i) − round(N·s_(i−1)), with s_i the cumulative share of the weights.
 * @throws {BhBridgeError} `CONFIG_INVALID` for a weight that is too small for a window.
 */
export function mixedCorpus(texts: readonly WeightedText[]): CorpusFacts {
  const sum = (of: (facts: CorpusFacts) => number) => texts.reduce((total, { facts }) => total + of(facts), 0);
  const windows = sum((facts) => facts.windows);
  const allWeights = texts.reduce((total, { weight }) => total + weight, 0);
  let [weightSoFar, end] = [0, 0];
  const files = texts.map(({ facts: { path, sha256, bytes, tokens }, weight }) => {
    const start = end;
    weightSoFar += weight;
    end = Math.round(windows * (weightSoFar / allWeights));
    return { path, sha256, bytes, tokens, weight, windows: end - start };
  });
  const empty = files.find((file) => file.windows === 0);
  if (empty) {
    const message = `the weight of ${empty.path}, ${empty.weight}, gives it none of ${windows} windows: use a larger weight, or remove the text`;
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

const chunkBytes = 1 << 20;

/**
 * Read a corpus as Python does: all newlines as LF, bytes below the vocabulary as tokens. A vocabulary of 256 accepts UTF-8, a smaller one ASCII.
 * @param contextLength tokens of a window.
 * @param heldOut fraction of the tokens, at the end, that is held out.
 * @throws {BhBridgeError} `CORPUS_INVALID` with position and remedy for a file that is missing, empty, too short or wrongly encoded; `CONFIG_INVALID` if
 *   `data.held_out` leaves one of the two parts without a window; `ABORTED`.
 */
export async function readCorpus(path: string, vocabSize: number, contextLength: number, heldOut: number, signal?: AbortSignal): Promise<CorpusFacts> {
  const text = new TextCounts();
  const hash = createHash("sha256");
  for await (const chunk of chunksOf(path, signal)) {
    text.add(chunk);
    hash.update(chunk);
  }
  if (vocabSize < mostByteTokens && text.firstNotAscii) throw notAscii(path, text.firstNotAscii, text.notAscii);
  if (text.firstNotUtf8 || !text.isWhole) throw notUtf8(path, text.firstNotUtf8);
  const { bytes, characters } = text;
  const kept = text.counts.slice(0, vocabSize);
  const tokens = kept.reduce((sum, count) => sum + count, 0);
  const windowTokens = contextLength + 1;
  if (tokens < windowTokens) {
    const largest = text.counts.findLastIndex((number) => number > 0);
    if (largest >= vocabSize && characters >= windowTokens) throw vocabularyTooSmall(path, vocabSize, largest, { tokens, characters });
    const size = characters === 0 ? "is empty" : `has ${count(tokens, "token")} (of ${count(characters, "character")})`;
    throw new BhBridgeError("CORPUS_INVALID", `${path} ${size}, but a window requires ${windowTokens}. Use a longer text, or a smaller data.window_length`);
  }
  const problem = heldOutProblem(heldOut, tokens, windowTokens);
  if (problem !== undefined) throw configInvalid([{ path: "data.held_out", message: `${problem} (the corpus is ${path})` }]);
  const deadTokens = Array.from({ length: vocabSize }, (_, token) => token).filter((token) => (kept[token] ?? 0) === 0);
  return {
    path,
    sha256: hash.digest("hex"),
    bytes,
    characters,
    filtered: text.counts.reduce((sum, count) => sum + count, 0) - tokens,
    tokens,
    distinct: vocabSize - deadTokens.length,
    dead: deadTokens.length,
    deadTokens,
    windows: tokens - heldOutTokens(heldOut, tokens) - contextLength,
  };
}

async function* chunksOf(path: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { highWaterMark: chunkBytes, ...(signal && { signal }) });
  } catch (cause) {
    if (signal?.aborted) throw new BhBridgeError("ABORTED", `reading ${path} was cancelled`, { cause: signal.reason });
    const reasons: Record<string, string> = { ENOENT: "there is no such file", EISDIR: "it is a folder", EACCES: "it may not be read" };
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    const message = `cannot read the corpus ${path}: ${reasons[code] ?? code}. Give a text file with data.corpus (--corpus on the command line)`;
    throw new BhBridgeError("CORPUS_INVALID", message, { cause });
  }
}

function vocabularyTooSmall(path: string, vocabSize: number, largest: number, { tokens, characters }: Pick<CorpusFacts, "tokens" | "characters">) {
  const message = `model.vocab_size ${vocabSize} is too small for ${path}: tokens are bytes below it, and only ${tokens} of ${count(characters, "character")} are. Set model.vocab_size to ${largest + 1} or more (${asciiTokens} covers ASCII), or train a tokenizer with data.train_tokenizer`;
  return new BhBridgeError("CORPUS_INVALID", message);
}

function notAscii(path: string, misfit: Misfit, total: number): BhBridgeError {
  const message = `${path} is not ASCII: ${positionOf(misfit)} (${total} such bytes in all). Convert it, for example with: iconv -t ASCII//TRANSLIT. Or set model.vocab_size to ${mostByteTokens} to train on the bytes of UTF-8`;
  return new BhBridgeError("CORPUS_INVALID", message, { offset: misfit.offset });
}

function notUtf8(path: string, misfit: Misfit | undefined): BhBridgeError {
  const position = misfit ? positionOf(misfit) : "it ends within a character";
  const message = `${path} is not UTF-8: ${position}. Convert it, for example with: iconv -f LATIN1 -t UTF-8`;
  return new BhBridgeError("CORPUS_INVALID", message, misfit && { offset: misfit.offset });
}

function positionOf({ byte, offset, line }: Misfit): string {
  return `byte 0x${byte.toString(16)} at offset ${offset}, line ${line}`;
}

async function factsOf(config: RunConfig, path: string, corpora: readonly string[], signal: AbortSignal | undefined): Promise<CorpusFacts> {
  const { data, model, python, record } = config;
  const { vocab_size: vocabulary } = model;
  const { held_out: heldOut, train_tokenizer: kind } = data;
  const length = windowLength(config);
  const tokenizer = data.tokenizer ?? (kind === null ? null : { kind, vocab: vocabulary, corpora });
  const facts = await (tokenizer === null
    ? readCorpus(path, vocabulary, length, heldOut, signal)
    : readTokenizedCorpus({ path, tokenizer, vocabulary, windowLength: length, heldOut, python }, signal));
  if (facts.tokenizer) requireMatch(record.rows, facts.tokenizer.path, vocabulary);
  if (data.windows === "sliding") return facts;
  return { ...facts, windows: chunkCount(facts.tokens - heldOutTokens(heldOut, facts.tokens), length, data.label_shift) };
}

/** Require that a pattern of rows matches a token of the tokenizer. */
function requireMatch(rows: RecordRows, tokenizer: string, vocabulary: number): void {
  if (typeof rows !== "string" || !rows.startsWith("/") || matchingTokens(rows, vocabulary, tokenizerText(tokenizer)).length > 0) return;
  throw configInvalid([{ path: "record.rows", message: `${rows} matches no token of ${tokenizer}` }]);
}

/**
 * Read the corpus of a complete configuration.
 * @param sent actual path of its text, if it differs from the configuration's: as `corpusFiles`.
 * @throws {BhBridgeError} `CORPUS_INVALID`, `ABORTED`; `CONFIG_INVALID` if `dataloader_drop_last` would drop every batch.
 */
export async function corpusOf({ config }: ResolvedConfig, signal?: AbortSignal, sent?: string): Promise<CorpusFacts> {
  const texts: WeightedText[] = [];
  const files = corpusFiles(config, sent);
  const paths = files.map(({ path }) => path);
  for (const { path, weight } of files) texts.push({ facts: await factsOf(config, path, paths, signal), weight });
  const [only] = texts;
  const facts = Array.isArray(config.data.corpus) || !only ? mixedCorpus(texts) : only.facts;
  const { per_device_train_batch_size: batch, dataloader_drop_last } = config.training;
  if (dataloader_drop_last && facts.windows < batch) {
    const message = `a batch of ${batch} is never full: the text has ${count(facts.windows, "window")}. Set a smaller batch, or training.dataloader_drop_last to false`;
    throw configInvalid([{ path: "training.per_device_train_batch_size", message }]);
  }
  return facts;
}
