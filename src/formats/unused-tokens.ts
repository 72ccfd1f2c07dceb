import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { containedFile, formatInvalid } from "./file-bytes.js";
import type { TokenText } from "./row-tokens.js";
import { textOfBytes } from "./tokenizer-text.js";

/** A piece of a sentencepiece model, by the numbers of `sentencepiece_model.proto`. */
interface Piece {
  readonly text: string;
  readonly score: number;
  readonly type: number;
}

const pieceTypes = { unknown: 2, control: 3, userDefined: 4, unused: 5 } as const;
const modelTypes = { unigram: 1, bpe: 2 } as const;
/** In place of a space. */
const space = "▁";

/** The fields of a protobuf message: numbers and bytes by field number. @throws {RangeError} for a truncated message. */
function* fieldsOf(bytes: Uint8Array): Generator<{ field: number; value: number; bytes: Uint8Array }> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63) throw new RangeError("it ends within a number");
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, wire] = [Math.floor(key / 8), key % 8];
    const value = wire === 0 || wire === 2 ? varint() : 0;
    const length = wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? value : 0;
    if (wire === 3 || wire === 4 || wire > 5 || at + length > bytes.length) throw new RangeError("it ends within a field");
    yield { field, value, bytes: bytes.subarray(at, at + length) };
    at += length;
  }
}

function pieceOf(message: Uint8Array): Piece {
  let [text, score, type] = ["", 0, 1];
  for (const { field, value, bytes } of fieldsOf(message)) {
    if (field === 1) text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    else if (field === 2) score = new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
    else if (field === 3) type = value;
  }
  return { text, score, type };
}

/** The merges of pieces: every pair of pieces that makes a piece, by the score of what it makes, as transformers derives them. */
function sentencePieceMerges(pieces: readonly Piece[], ids: ReadonlyMap<string, number>): [string, string][] {
  const order = pieces.filter(({ type }) => type === 1).sort((a, b) => b.score - a.score);
  return order.flatMap(({ text }) => {
    const characters = [...text];
    const pairs = characters.slice(1).map((_, cut): [string, string] => [characters.slice(0, cut + 1).join(""), characters.slice(cut + 1).join("")]);
    const idOf = (piece: string) => ids.get(piece) ?? -1;
    return pairs.filter((pair) => pair.every((piece) => ids.has(piece))).sort((a, b) => idOf(a[0]) - idOf(b[0]) || idOf(a[1]) - idOf(b[1]));
  });
}

/**
 * A `tokenizer.model` of sentencepiece in the form of a `tokenizer.json`, with the ids of pieces that it marks as unused. Its normalisation of characters is
 * omitted.
 * @throws {Error} for a damaged file and for models of words or characters.
 */
export function sentencepieceDefinition(file: Uint8Array): Readonly<Record<string, unknown>> {
  const pieces: Piece[] = [];
  let [type, hasPrefix]: [number, boolean] = [modelTypes.unigram, true];
  for (const { field, bytes } of fieldsOf(file)) {
    if (field === 1) pieces.push(pieceOf(bytes));
    else if (field === 2) for (const own of fieldsOf(bytes)) type = own.field === 3 ? own.value : type;
    else if (field === 3) for (const own of fieldsOf(bytes)) hasPrefix = own.field === 3 ? own.value !== 0 : hasPrefix;
  }
  if (pieces.length === 0) throw new Error("it has no pieces");
  if (type !== modelTypes.unigram && type !== modelTypes.bpe) throw new Error("it is neither a unigram nor a byte-pair model of sentencepiece");
  const ids = new Map(pieces.map(({ text }, id) => [text, id]));
  const special = [pieceTypes.unknown, pieceTypes.control, pieceTypes.userDefined] as readonly number[];
  const unknown = Math.max(
    0,
    pieces.findIndex((piece) => piece.type === pieceTypes.unknown),
  );
  const replace = { type: "Replace", pattern: { String: " " }, content: space };
  return {
    added_tokens: pieces.flatMap((piece, id) =>
      special.includes(piece.type) ? [{ id, content: piece.text, special: piece.type !== pieceTypes.userDefined }] : [],
    ),
    normalizer: { type: "Sequence", normalizers: hasPrefix ? [{ type: "Prepend", prepend: space }, replace] : [replace] },
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: space }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(hasPrefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model:
      type === modelTypes.bpe
        ? {
            type: "BPE",
            vocab: Object.fromEntries(ids),
            merges: sentencePieceMerges(pieces, ids),
            unk_token: pieces[unknown]?.text,
            byte_fallback: ids.has("<0x00>"),
            fuse_unk: true,
          }
        : { type: "Unigram", vocab: pieces.map(({ text, score }) => [text, score]), unk_id: unknown, byte_fallback: ids.has("<0x00>") },
    unused: pieces.flatMap((piece, id) => (piece.type === pieceTypes.unused ? [id] : [])),
  };
}

/** Why no text contains a token. The last one is less reliable than the others. */
export const unusedReasons = ["beyond the tokenizer", "byte that no UTF-8 has", "named as unused", "its text encodes to other tokens"] as const;
type UnusedReason = (typeof unusedReasons)[number];

/** The vocabulary of a tokenizer, with the tokens that no text contains. */
export interface UnusedTokens {
  /** File of the tokenizer. */
  readonly file: string;
  readonly text: TokenText;
  readonly reasons: ReadonlyMap<number, UnusedReason>;
}

/** `[unused7]`, `<unused7>`, `<|reserved_special_token_5|>`, `<extra_id_3>`, `<|placeholder2|>`, `[control_9]`, `<SPECIAL_12>`, `madeupword0001`. */
const unusedName = /^(?:[[<]\|?(?:unused|reserved|extra|dummy|placeholder|control|special)\w*?\d+\|?[\]>]|madeupword\d+)$/i;

/** Whether a byte occurs in no UTF-8 text: 0xC0, 0xC1 and 0xF5 to 0xFF. */
export function isImpossibleByte(byte: number): boolean {
  return byte === 0xc0 || byte === 0xc1 || byte >= 0xf5;
}

/** The characters that stand for these bytes in a byte-level vocabulary: Latin letters of the same number. */
const impossibleCharacter = /[\u00c0\u00c1\u00f5-\u00ff]/;

function hasImpossibleByte(piece: string, isByteLevel: boolean): boolean {
  if (isByteLevel) return impossibleCharacter.test(piece);
  return isImpossibleByte(Number.parseInt(/^<0x(?<byte>[0-9A-F]{2})>$/.exec(piece)?.groups?.["byte"] ?? "", 16));
}

/** The definition of a tokenizer as `tokenizer.json` has it. */
type Definition = Readonly<Record<string, unknown>>;

const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };

/** Without the checks of `readJson`, which take seconds for a large vocabulary. */
function readDefinition(path: string): Definition {
  return JSON.parse(readFileSync(path, "utf8")) as Definition;
}

function lines(path: string): string[] {
  return readFileSync(path, "utf8").split(/\r?\n/);
}

/** Tokenizers by the files that define them, in the order in which they are used. */
type Reader = readonly [files: readonly [string, ...string[]], read: (paths: string[], config: Definition) => Definition];
const readers: readonly Reader[] = [
  [["tokenizer.json"], ([path = ""]) => readDefinition(path)],
  [
    ["vocab.json", "merges.txt"],
    ([vocab = "", merges = ""]) => ({
      pre_tokenizer: byteLevel,
      decoder: byteLevel,
      model: { type: "BPE", vocab: readDefinition(vocab), merges: lines(merges).filter((line) => line !== "" && !line.startsWith("#version")) },
    }),
  ],
  [
    ["vocab.txt"],
    ([vocab = ""], { do_lower_case = true }) => {
      const tokens = lines(vocab).filter((line, index, all) => line !== "" || index < all.length - 1);
      const special = tokens.flatMap((content, id) => (/^\[(?:PAD|UNK|CLS|SEP|MASK)\]$/.test(content) ? [{ id, content, special: true }] : []));
      return {
        added_tokens: special,
        normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: do_lower_case },
        pre_tokenizer: { type: "BertPreTokenizer" },
        decoder: { type: "WordPiece", prefix: "##", cleanup: true },
        model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", vocab: Object.fromEntries(tokens.map((token, id) => [token, id])) },
      };
    },
  ],
  ...["tokenizer.model", "spiece.model"].map((file): Reader => [[file], ([path = ""]) => sentencepieceDefinition(readFileSync(path))]),
];

/** The part of a byte-pair encoding that decides whether a token is made from its characters. */
interface Merges {
  readonly vocab: ReadonlyMap<string, number>;
  /** Rank of the merge of two tokens, by `first * vocab.size + second`. */
  readonly ranks: ReadonlyMap<number, number>;
  /** The token that each merge makes. */
  readonly merged: Int32Array;
}

/** The merges of a tokenizer of byte pairs, by numbers: ten times faster than encoding each token with the library. */
function mergesOf(vocab: ReadonlyMap<string, number>, { model }: Definition): Merges | undefined {
  const { type, merges } = (model ?? {}) as { type?: string; merges?: readonly (string | readonly [string, string])[] };
  if (type !== "BPE" || !merges) return undefined;
  const ranks = new Map<number, number>();
  const merged = new Int32Array(merges.length);
  for (const [rank, merge] of merges.entries()) {
    const [left = "", right = ""] = typeof merge === "string" ? merge.split(" ") : merge;
    const [first, second] = [vocab.get(left), vocab.get(right)];
    if (first !== undefined && second !== undefined) ranks.set(first * vocab.size + second, rank);
    merged[rank] = vocab.get(left + right) ?? -1;
  }
  return { vocab, ranks, merged };
}

/** Whether the characters of a token merge into it. */
function isMerged({ vocab, ranks, merged }: Merges, id: number, piece: string): boolean {
  const ids: number[] = [];
  for (const character of piece) ids.push(vocab.get(character) ?? -1);
  while (ids.length > 1) {
    let best = -1;
    let lowest = merged.length;
    for (let at = 0; at + 1 < ids.length; at++) {
      const rank = ranks.get((ids[at] ?? -1) * vocab.size + (ids[at + 1] ?? -1)) ?? merged.length;
      if (rank < lowest) [best, lowest] = [at, rank];
    }
    if (best < 0) return false;
    ids.splice(best, 2, merged[lowest] ?? -1);
  }
  return ids[0] === id;
}

/** Text before a token, which merges with nothing. */
const context = "«";

/** Whether the text of a token is encoded as this token, at the beginning of a text or within one. True where its text is only a part of a character. */
function isReachable(tokenizer: Tokenizer, id: number, piece: string, byMerges: Merges | undefined): boolean {
  if (piece.startsWith("##")) {
    const word = `a${piece.slice(2)}`;
    const words = tokenizer.pre_tokenizer?.(tokenizer.normalizer?.(word) ?? word) ?? [word];
    return words.length === 1 && words[0] === word;
  }
  const decoded = tokenizer.decode([id], { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  if (decoded.includes("\ufffd")) return true;
  if (byMerges && !tokenizer.normalizer) {
    const words = tokenizer.pre_tokenizer?.pre_tokenize(decoded) ?? [decoded];
    if (words.length === 1 && words[0] === piece && isMerged(byMerges, id, piece)) return true;
  }
  const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
  const isAlone = (text: string): boolean => {
    const ids = encode(text);
    return ids.length === 1 && ids[0] === id;
  };
  return isAlone(decoded) || [decoded, piece.replaceAll("▁", " ")].some((text) => encode(context + text).at(-1) === id);
}

/**
 * The tokens of the tokenizer in a directory that no text contains; undefined if it has no tokenizer that is read without Python.
 * @param rows rows of the embedding.
 * @throws {BhBridgeError} `FORMAT_INVALID` for a damaged tokenizer.
 */
export function unusedTokens(directory: string, rows: number): UnusedTokens | undefined {
  const found = readers.find(([files]) => files.every((file) => existsSync(join(directory, file))));
  if (!found) return undefined;
  const [files, read] = found;
  const [path = ""] = files.map((file) => containedFile(directory, file));
  try {
    const configPath = join(directory, "tokenizer_config.json");
    const config = existsSync(configPath) ? readDefinition(containedFile(directory, "tokenizer_config.json")) : {};
    const definition = read(
      files.map((file) => containedFile(directory, file)),
      config,
    );
    return { file: files[0], ...reasonsOf(definition, config, rows) };
  } catch (cause) {
    throw formatInvalid(path, 0, "it is no tokenizer", cause);
  }
}

function reasonsOf(definition: Definition, config: Definition, rows: number): Pick<UnusedTokens, "text" | "reasons"> {
  const absent = { added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null }; // the library requires them
  const tokenizer = new Tokenizer({ ...absent, ...definition }, config);
  const isByteLevel = (definition["decoder"] as { type?: unknown } | null)?.type === "ByteLevel";
  const byMerges = mergesOf(tokenizer.get_vocab(), definition);
  const added = tokenizer.get_added_tokens_decoder();
  const marked = new Set(definition["unused"] as readonly number[] | undefined);
  const reasons = new Map<number, UnusedReason>();
  const pieces: (string | undefined)[] = [];
  const [beyond, byte, named, unreachable] = unusedReasons;
  for (let id = 0; id < rows; id++) {
    const piece = tokenizer.id_to_token(id);
    pieces.push(piece);
    if (piece === undefined) reasons.set(id, beyond);
    else if (!added.has(id) && hasImpossibleByte(piece, isByteLevel)) reasons.set(id, byte);
    else if (marked.has(id) || unusedName.test(piece)) reasons.set(id, named);
    else if (!added.has(id) && !isReachable(tokenizer, id, piece, byMerges)) reasons.set(id, unreachable);
  }
  const isAdded = new Set(added.keys());
  const text: TokenText = (id) => {
    const piece = pieces[id];
    return piece === undefined ? null : isByteLevel && !isAdded.has(id) ? textOfBytes(piece) : piece;
  };
  return { text, reasons };
}
