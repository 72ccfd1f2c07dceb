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
function mergesOf(pieces: readonly Piece[], ids: ReadonlyMap<string, number>): [string, string][] {
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
            merges: mergesOf(pieces, ids),
            unk_token: pieces[unknown]?.text,
            byte_fallback: ids.has("<0x00>"),
            fuse_unk: true,
          }
        : { type: "Unigram", vocab: pieces.map(({ text, score }) => [text, score]), unk_id: unknown, byte_fallback: ids.has("<0x00>") },
    unused: pieces.flatMap((piece, id) => (piece.type === pieceTypes.unused ? [id] : [])),
  };
}
