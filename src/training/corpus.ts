import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { corpusPath } from "../config/corpus-path.js";
import type { ResolvedExperiment } from "../config/load-experiment.js";
import { BhBridgeError } from "../errors.js";
import type { CorpusFacts } from "../runs/run-manifest.js";

/** A corpus is held in memory on both sides; the largest that was trained on had 0.3 MB. Node's own limit for a file is 2 GiB. */
const maxCorpusBytes = 1 << 30;

const lineFeed = 10;
const carriageReturn = 13;

/**
 * Read a corpus as Python will: ASCII text, newlines of every system as LF, bytes below the vocabulary as tokens.
 *
 * @param contextLength tokens of a window.
 * @param heldOut fraction of the tokens, from the end, that is not trained on.
 * @throws {BhBridgeError} `CORPUS_INVALID` for a file that is missing, empty, too short, or not ASCII, with the place and what to do.
 */
export function readCorpus(path: string, vocabSize: number, contextLength: number, heldOut: number): CorpusFacts {
  const bytes = readBytes(path);
  const counts = new Array<number>(128).fill(0);
  let characters = 0;
  let line = 1;
  for (let offset = 0; offset < bytes.length; offset++) {
    const byte = bytes[offset] ?? 0;
    if (byte >= 128) throw notAscii(path, bytes, offset, line);
    const isLineEnd = byte === lineFeed || byte === carriageReturn;
    if (isLineEnd) line++;
    // CRLF is one newline: the CR counts, the LF after it does not.
    if (byte === lineFeed && bytes[offset - 1] === carriageReturn) {
      line--;
      continue;
    }
    const character = isLineEnd ? lineFeed : byte;
    counts[character] = (counts[character] ?? 0) + 1;
    characters++;
  }
  const kept = counts.slice(0, vocabSize);
  const tokens = kept.reduce((sum, count) => sum + count, 0);
  const windows = tokens - Math.trunc(tokens * heldOut) - contextLength;
  if (windows < 1) {
    const what = characters === 0 ? "is empty" : `has ${tokens} tokens (of ${characters} characters)`;
    throw new BhBridgeError("CORPUS_INVALID", `${path} ${what}: a window takes ${contextLength + 1}. Give a longer text, or a smaller model.n_positions`);
  }
  const deadTokens = Array.from({ length: vocabSize }, (_, token) => token).filter((token) => (kept[token] ?? 0) === 0);
  return {
    path,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    bytes: bytes.length,
    characters,
    filtered: characters - tokens,
    tokens,
    distinct: vocabSize - deadTokens.length,
    dead: deadTokens.length,
    deadTokens,
    windows,
  };
}

function readBytes(path: string): Buffer {
  try {
    const { size } = statSync(path);
    if (size > maxCorpusBytes) throw new BhBridgeError("CORPUS_INVALID", `${path} has ${size} bytes; a corpus may have ${maxCorpusBytes}`);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof BhBridgeError) throw cause;
    const reasons: Record<string, string> = { ENOENT: "there is no such file", EISDIR: "it is a folder", EACCES: "it may not be read" };
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    throw new BhBridgeError("CORPUS_INVALID", `cannot read the corpus ${path}: ${reasons[code] ?? code}. Give a text file with --corpus`, { cause });
  }
}

function notAscii(path: string, bytes: Buffer, offset: number, line: number): BhBridgeError {
  const byte = `0x${(bytes[offset] ?? 0).toString(16)}`;
  const total = bytes.reduce((sum, each) => sum + (each >= 128 ? 1 : 0), 0);
  return new BhBridgeError(
    "CORPUS_INVALID",
    `${path} is not ASCII: byte ${byte} at offset ${offset}, line ${line} (${total} such bytes in all). Convert it, for example with: iconv -t ASCII//TRANSLIT`,
    { offset },
  );
}

/** Read the corpus of a complete experiment. @throws {BhBridgeError} `CORPUS_INVALID`. */
export function corpusOf({ experiment }: ResolvedExperiment): CorpusFacts {
  const { vocab_size, n_positions } = experiment.model;
  return readCorpus(corpusPath(experiment), vocab_size, n_positions, experiment.data.held_out);
}
