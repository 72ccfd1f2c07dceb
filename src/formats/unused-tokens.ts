import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { containedFile, formatInvalid } from "./file-bytes.js";
import type { TokenText } from "./row-tokens.js";
import { textsOfTokenizer } from "./tokenizer-text.js";

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

function hasImpossibleByte(text: string): boolean {
  return [...text.matchAll(/<0x(?<byte>[0-9A-F]{2})>/g)].some(({ groups }) => isImpossibleByte(Number.parseInt(groups?.["byte"] ?? "", 16)));
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
const readers: readonly (readonly [files: readonly [string, ...string[]], read: (paths: string[], config: Definition) => Definition])[] = [
  [["tokenizer.json"], ([path = ""]) => readDefinition(path)],
  [
    ["vocab.json", "merges.txt"],
    ([vocab = "", merges = ""]) => ({
      added_tokens: [],
      pre_tokenizer: byteLevel,
      decoder: byteLevel,
      model: { type: "BPE", vocab: readDefinition(vocab), merges: lines(merges).filter((line) => line !== "" && !line.startsWith("#version")) },
    }),
  ],
  [
    ["vocab.txt"],
    ([vocab = ""], { do_lower_case = true }) => {
      const tokens = lines(vocab).filter((line, index, all) => line !== "" || index < all.length - 1);
      return {
        added_tokens: [],
        normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: do_lower_case },
        pre_tokenizer: { type: "BertPreTokenizer" },
        decoder: { type: "WordPiece", prefix: "##", cleanup: true },
        model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", vocab: Object.fromEntries(tokens.map((token, id) => [token, id])) },
      };
    },
  ],
];

/** Text before a token, which merges with nothing. */
const context = "«";

/** Whether the text of a token is encoded as this token, at the beginning of a text or within one. True where its text is only a part of a character. */
function isReachable(tokenizer: Tokenizer, id: number, piece: string): boolean {
  if (piece.startsWith("##")) {
    const word = `a${piece.slice(2)}`;
    const words = tokenizer.pre_tokenizer?.(tokenizer.normalizer?.(word) ?? word) ?? [word];
    return words.length === 1 && words[0] === word;
  }
  const decoded = tokenizer.decode([id], { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  if (decoded.includes("\ufffd")) return true;
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
  const text = textsOfTokenizer(definition);
  const tokenizer = new Tokenizer(definition, config);
  const added = tokenizer.get_added_tokens_decoder();
  const reasons = new Map<number, UnusedReason>();
  const [beyond, byte, named, unreachable] = unusedReasons;
  for (let id = 0; id < rows; id++) {
    const shown = text(id);
    const piece = tokenizer.id_to_token(id);
    if (shown === null || piece === undefined) reasons.set(id, beyond);
    else if (hasImpossibleByte(shown)) reasons.set(id, byte);
    else if (unusedName.test(piece)) reasons.set(id, named);
    else if (!added.has(id) && !isReachable(tokenizer, id, piece)) reasons.set(id, unreachable);
  }
  return { text, reasons };
}
