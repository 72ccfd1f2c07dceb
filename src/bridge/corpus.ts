import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { configInvalid } from "../config/config-invalid.js";
import { corpusFiles } from "../config/paths-in-config.js";
import { asciiTokens, matchingTokens, mostByteTokens, type RecordRows } from "../config/record-schema.js";
import type { ResolvedConfig } from "../config/resolve-run-config.js";
import { windowLength } from "../config/run-config-fields.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { reasonNotRead } from "../formats/file-bytes.js";
import { isTokenArray } from "../formats/text/text-files.js";
import { tokenizerText } from "../formats/tokenizer-text.js";
import type { CorpusFacts } from "../runs/run-manifest.js";
import { count } from "../text/format.js";
import { originOf, preparedText, separator } from "./prepared-text.js";
import { asciiRemedy, notAscii, notUtf8, TextCounts } from "./text-counts.js";
import { readTokenArray } from "./token-array.js";
import { heldOutTokens, readTokenizedCorpus, requireSeparateWindows, requireWindows, separateWindows, type WindowCut } from "./tokenized-corpus.js";

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
  const joined = texts.find(({ facts }) => facts.joint !== undefined);
  return {
    path: files.map(({ path }) => path).join(" + "),
    sha256: createHash("sha256")
      .update(files.map((file) => `${file.sha256} ${file.windows}\n`).join(""))
      .digest("hex"),
    bytes: sum(({ bytes }) => bytes),
    characters: sum(({ characters }) => characters),
    filtered: sum(({ filtered }) => filtered),
    ...(texts.some(({ facts }) => facts.documents !== undefined) && { documents: sum(({ documents = 1 }) => documents) }),
    ...(joined?.facts.joint !== undefined && { joint: joined.facts.joint }),
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

/** A text to read, its documents and its windows. */
interface TextOptions {
  signal?: AbortSignal | undefined;
  /** Its path, if `path` is its prepared text, and the field of its documents. */
  prepared?: { from: string; field: string };
  /** How windows are cut if documents are separate; joined by a blank line otherwise. */
  separate?: WindowCut | undefined;
}

/**
 * Read a corpus as Python does: all newlines as LF, bytes below the vocabulary as tokens. A vocabulary of 256 accepts UTF-8, a smaller one ASCII.
 * @param contextLength tokens of a window.
 * @param heldOut fraction of the tokens, at the end, that is held out.
 * @throws {BhBridgeError} `CORPUS_INVALID` with position and remedy for a file that is missing, empty, too short or wrongly encoded; `CONFIG_INVALID` if
 *   `data.held_out` leaves one of the two parts without a window; `ABORTED`.
 */
export async function readCorpus(
  path: string,
  vocabSize: number,
  contextLength: number,
  heldOut: number,
  { signal, prepared, separate }: TextOptions = {},
): Promise<CorpusFacts> {
  const name = prepared?.from ?? path;
  const text = new TextCounts();
  const hash = createHash("sha256");
  const lengths: number[] = [];
  let documents = 1;
  let bytes = 0;
  const keptTokens = () => text.counts.reduce((sum, count, byte) => (byte < vocabSize ? sum + count : sum), 0);
  let tokensBefore = 0; // of the present document
  const endDocument = () => {
    text.endDocument();
    if (!separate) return;
    lengths.push(keptTokens() - tokensBefore);
    tokensBefore += lengths.at(-1) ?? 0;
  };
  for await (const chunk of chunksOf(path, signal)) {
    hash.update(chunk);
    bytes += chunk.length;
    let start = 0;
    for (let end = prepared ? chunk.indexOf(separator) : -1; end !== -1; end = chunk.indexOf(separator, start)) {
      text.add(chunk.subarray(start, end));
      endDocument();
      if (text.firstNotAscii && vocabSize < mostByteTokens) break;
      documents++;
      start = end + 1;
    }
    text.add(chunk.subarray(start));
    if (prepared && text.firstNotAscii && vocabSize < mostByteTokens) {
      const origin = await originOf(prepared.from, prepared.field, documents - 1);
      throw new BhBridgeError("CORPUS_INVALID", `${origin} is not ASCII: it has the byte 0x${text.firstNotAscii.byte.toString(16)}. ${asciiRemedy}`);
    }
  }
  endDocument();
  if (vocabSize < mostByteTokens && text.firstNotAscii) throw notAscii(name, text.firstNotAscii, text.notAscii);
  if (text.firstNotUtf8 || !text.isWhole) throw notUtf8(name, text.firstNotUtf8);
  if (!separate) text.counts[lineFeed] = (text.counts[lineFeed] ?? 0) + joint.length * (documents - 1);
  const { characters } = text;
  const kept = text.counts.slice(0, vocabSize);
  const tokens = kept.reduce((sum, count) => sum + count, 0);
  const windowTokens = contextLength + 1;
  if (tokens < windowTokens) {
    const largest = text.counts.findLastIndex((number) => number > 0);
    if (largest >= vocabSize && characters >= windowTokens) throw vocabularyTooSmall(name, vocabSize, largest, { tokens, characters });
  }
  requireWindows({ path: name, tokens, characters, windowTokens, heldOut });
  const deadTokens = Array.from({ length: vocabSize }, (_, token) => token).filter((token) => (kept[token] ?? 0) === 0);
  return {
    path: name,
    sha256: hash.digest("hex"),
    bytes,
    characters,
    filtered: text.counts.reduce((sum, count) => sum + count, 0) - tokens,
    tokens,
    distinct: vocabSize - deadTokens.length,
    dead: deadTokens.length,
    deadTokens,
    windows: separate
      ? requireSeparateWindows(name, heldOut, separate, separateWindows(lengths, heldOut, separate))
      : tokens - heldOutTokens(heldOut, tokens) - contextLength,
    ...(documents > 1 && { documents, ...(!separate && { joint }) }),
  };
}

/** Joins packed documents without a tokenizer. */
const joint = "\n\n";
const lineFeed = 10;

async function* chunksOf(path: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { highWaterMark: chunkBytes, ...(signal && { signal }) });
  } catch (cause) {
    if (signal?.aborted) throw new BhBridgeError("ABORTED", `reading ${path} was cancelled`, { cause: signal.reason });
    const message = `cannot read the corpus ${path}: ${reasonNotRead(cause)}. Give a text file with data.corpus (--corpus on the command line)`;
    throw new BhBridgeError("CORPUS_INVALID", message, { cause });
  }
}

function vocabularyTooSmall(path: string, vocabSize: number, largest: number, { tokens, characters }: Pick<CorpusFacts, "tokens" | "characters">) {
  const message = `model.vocab_size ${vocabSize} is too small for ${path}: tokens are bytes below it, and only ${tokens} of ${count(characters, "character")} are. Set model.vocab_size to ${largest + 1} or more (${asciiTokens} covers ASCII), or train a tokenizer with data.train_tokenizer`;
  return new BhBridgeError("CORPUS_INVALID", message);
}

interface CorpusPaths {
  path: string;
  readFrom: string;
  /** Whether documents are separated in the file that is read. */
  isPrepared: boolean;
}

async function factsOf(
  config: RunConfig,
  { path, readFrom, isPrepared }: CorpusPaths,
  corpora: readonly string[],
  signal: AbortSignal | undefined,
): Promise<CorpusFacts> {
  const { data, model, python, record } = config;
  const { vocab_size: vocabulary } = model;
  const { held_out: heldOut, train_tokenizer: kind } = data;
  const length = windowLength(config);
  const separate = data.documents === "separate" ? windowCut(length, data) : undefined;
  const tokenizer = data.tokenizer ?? (kind === null ? null : { kind, vocab: vocabulary, corpora });
  const tokenized = { path: readFrom, name: path, vocabulary, windowLength: length, heldOut, python, separate };
  const prepared = isPrepared ? { prepared: { from: path, field: data.field } } : {};
  const facts = isTokenArray(readFrom)
    ? await readTokenArray({ ...tokenized, tokenizer: data.tokenizer }, signal)
    : await (tokenizer === null
        ? readCorpus(readFrom, vocabulary, length, heldOut, { signal, separate, ...prepared })
        : readTokenizedCorpus({ ...tokenized, tokenizer }, signal));
  if (facts.tokenizer) requireMatch(record.rows, facts.tokenizer.path, vocabulary);
  if (data.windows === "sliding" || separate) return facts;
  return { ...facts, windows: chunkCount(facts.tokens - heldOutTokens(heldOut, facts.tokens), length, data.label_shift) };
}

function windowCut(length: number, { windows, label_shift }: RunConfig["data"]): WindowCut {
  return windows === "sliding" ? { length, stride: 1, span: length + 1 } : { length, stride: length, span: length + (label_shift === "double" ? 1 : 0) };
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
export async function corpusOf({ config }: ResolvedConfig, signal?: AbortSignal, sent?: string): Promise<ReadCorpus> {
  const texts: WeightedText[] = [];
  const files: (CorpusPaths & { weight: number })[] = [];
  for (const { path, weight } of corpusFiles(config, sent)) {
    const readFrom = sent === undefined ? await preparedText(path, config.data.field, signal) : path;
    files.push({ path, weight, readFrom, isPrepared: sent !== undefined || readFrom !== path });
  }
  const paths = files.map(({ readFrom }) => readFrom);
  for (const { weight, ...file } of files) texts.push({ facts: await factsOf(config, file, paths, signal), weight });
  const [only] = texts;
  const facts = Array.isArray(config.data.corpus) || !only ? mixedCorpus(texts) : only.facts;
  const { per_device_train_batch_size: batch, dataloader_drop_last } = config.training;
  if (dataloader_drop_last && facts.windows < batch) {
    const message = `a batch of ${batch} is never full: the text has ${count(facts.windows, "window")}. Set a smaller batch, or training.dataloader_drop_last to false`;
    throw configInvalid([{ path: "training.per_device_train_batch_size", message }]);
  }
  return { ...facts, readFrom: new Map(files.map(({ path, readFrom }) => [path, readFrom])) };
}

/** A corpus and where its texts are read. */
export interface ReadCorpus extends CorpusFacts {
  /** Path of the prepared text of each path. */
  readonly readFrom: ReadonlyMap<string, string>;
}
