import { createHash } from "node:crypto";
import { configInvalid } from "../config/config-invalid.js";
import { BhBridgeError } from "../errors.js";
import { FileBytes } from "../formats/file-bytes.js";
import { itemSizes } from "../formats/matrix.js";
import { openNpy } from "../formats/numpy/npy-file.js";
import { isDtype } from "../formats/stored-tensor.js";
import type { CorpusFacts } from "../runs/run-manifest.js";
import { countWith, heldOutTokens, requireFile, requireWindows, type TokenizedText, tokenizerFacts } from "./tokenized-corpus.js";

type TokenArray = Omit<TokenizedText, "tokenizer" | "separate"> & { readonly tokenizer: string | null };

const chunkBytes = 1 << 20;
/** Readers of the integers that numpy writes. The upper half of 64 bits is read as the number of another token, so that it must be 0. */
const readers: Readonly<Record<string, (bytes: ArrayBuffer) => ArrayLike<number>>> = {
  U8: (bytes) => new Uint8Array(bytes),
  I8: (bytes) => new Int8Array(bytes),
  U16: (bytes) => new Uint16Array(bytes),
  I16: (bytes) => new Int16Array(bytes),
  U32: (bytes) => new Uint32Array(bytes),
  I32: (bytes) => new Int32Array(bytes),
  U64: (bytes) => Float64Array.from(new BigUint64Array(bytes), Number),
  I64: (bytes) => Float64Array.from(new BigInt64Array(bytes), Number),
};

/**
 * Read a file of token ids, with constant memory: `.npy` of integers in one dimension, or `.bin` of uint16 as nanoGPT writes it.
 * @throws {BhBridgeError} `CORPUS_INVALID`; `CONFIG_INVALID` for ids that the model has no row for; `ABORTED`.
 */
export async function readTokenArray(array: TokenArray, signal?: AbortSignal): Promise<CorpusFacts> {
  const { path, name = path, vocabulary, windowLength, heldOut, tokenizer } = array;
  requireFile(path, "data.corpus");
  const { counts, largest, tokens, ...file } = await countIds(path, name, vocabulary, signal);
  if (largest >= vocabulary) {
    const message = `is ${vocabulary}, but ${name} has token ids up to ${largest}: set it to ${largest + 1} or more`;
    throw configInvalid([{ path: "model.vocab_size", message }]);
  }
  requireWindows({ path: name, tokens, windowTokens: windowLength + 1, heldOut });
  const deadTokens = Array.from({ length: vocabulary }, (_, token) => token).filter((token) => counts[token] === 0);
  const facts = tokenizer === null ? undefined : tokenizerFacts(await countWith(tokenizer, { corpus: null, name }, array, signal));
  return {
    path: name,
    ...file,
    characters: 0,
    filtered: 0,
    tokens,
    distinct: vocabulary - deadTokens.length,
    dead: deadTokens.length,
    deadTokens,
    windows: tokens - heldOutTokens(heldOut, tokens) - windowLength,
    ...(facts && { tokenizer: facts }),
  };
}

interface IdCounts {
  sha256: string;
  bytes: number;
  tokens: number;
  /** Of each id below the vocabulary. */
  counts: Float64Array;
  largest: number;
}

async function countIds(path: string, name: string, vocabulary: number, signal: AbortSignal | undefined): Promise<IdCounts> {
  const { offset, dtype, itemBytes } = layoutOf(path, name);
  const read = readers[dtype];
  if (!read) throw invalid(name, `has elements of ${dtype}, not integers. Save the token ids with array.astype("uint16") or "uint32"`);
  const file = new FileBytes(path);
  const hash = createHash("sha256");
  const counts = new Float64Array(vocabulary);
  let largest = -1;
  try {
    hash.update(file.read(0, offset, "its header"));
    if ((file.size - offset) % itemBytes !== 0) throw invalid(name, `has ${file.size} bytes, which are not tokens of ${itemBytes} bytes`);
    for (let at = offset; at < file.size; at += chunkBytes) {
      if ((at - offset) % (chunkBytes << 4) === 0) await new Promise(setImmediate); // Ctrl-C is heard
      if (signal?.aborted) throw new BhBridgeError("ABORTED", `reading ${name} was cancelled`, { cause: signal.reason });
      const chunk = file.read(at, Math.min(chunkBytes, file.size - at), "its tokens");
      hash.update(chunk);
      const ids = read(chunk.buffer as ArrayBuffer);
      for (let index = 0; index < ids.length; index++) {
        const id = ids[index] ?? 0;
        if (id < 0) throw invalid(name, `has the negative token id ${id} at index ${(at - offset) / itemBytes + index}`);
        if (id < vocabulary) counts[id] = (counts[id] ?? 0) + 1;
        if (id > largest) largest = id;
      }
    }
    return { sha256: hash.digest("hex"), bytes: file.size, tokens: (file.size - offset) / itemBytes, counts, largest };
  } finally {
    file.close();
  }
}

/** Where the ids of a file begin, and their type. */
function layoutOf(path: string, name: string): { offset: number; dtype: string; itemBytes: number } {
  if (!path.endsWith(".npy")) return { offset: 0, dtype: "U16", itemBytes: 2 };
  const file = openNpy(path);
  try {
    const [tensor] = file.tensors;
    if (tensor?.shape.length !== 1)
      throw invalid(name, `is an array of shape [${tensor?.shape.join(", ")}], not a list of token ids. Save it with array.ravel()`);
    const size = new FileBytes(path);
    size.close();
    return { offset: size.size - tensor.bytes, dtype: tensor.dtype, itemBytes: isDtype(tensor.dtype) ? itemSizes[tensor.dtype] : 1 };
  } finally {
    file.close();
  }
}

function invalid(name: string, problem: string): BhBridgeError {
  return new BhBridgeError("CORPUS_INVALID", `${name} ${problem}`);
}
