import type { Random } from "./random.js";

/** Numbers at the edges of what readers compute with. */
const edges: readonly bigint[] = [
  0n,
  1n,
  2n,
  7n,
  127n,
  128n,
  255n,
  256n,
  0x7fffn,
  0xffffn,
  0x7fff_ffffn,
  0xffff_ffffn,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const mutations: readonly Mutation[] = [
  (bytes, random) => at(bytes, random, (offset) => bytes.writeUInt8((bytes[offset] ?? 0) ^ (1 << random.below(8)), offset)),
  (bytes, random) => at(bytes, random, (offset) => bytes.writeUInt8(random.below(256), offset)),
  (bytes, random) => at(bytes, random, (offset) => bytes.writeUInt8(random.pick([0, 1, 0x28, 0x2e, 0x30, 0x39, 0x7f, 0x80, 0xff]), offset)),
  overwriteNumber,
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + random.below(16), random.below(256))]),
  (bytes, random) => splice(bytes, random, 0),
  (bytes, random) => splice(bytes, random, 1 + random.below(16)),
  copyWithin,
];

function at(bytes: Buffer, random: Random, write: (offset: number) => void): Buffer {
  if (bytes.length > 0) write(random.below(bytes.length));
  return bytes;
}

function overwriteNumber(bytes: Buffer, random: Random): Buffer {
  const width = random.pick([1, 2, 4, 8]);
  if (bytes.length < width) return bytes;
  const value = Buffer.alloc(8);
  value.writeBigUInt64LE(random.pick(edges));
  value.copy(bytes, random.below(bytes.length - width + 1), 0, width);
  return bytes;
}

/** Remove up to 16 bytes, and put `inserted` others from elsewhere in their place. */
function splice(bytes: Buffer, random: Random, inserted: number): Buffer {
  const start = random.below(bytes.length + 1);
  const from = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(from, from + inserted), bytes.subarray(start + random.below(17))]);
}

function copyWithin(bytes: Buffer, random: Random): Buffer {
  const length = 1 + random.below(32);
  bytes.copyWithin(random.below(bytes.length + 1), random.below(bytes.length + 1), random.below(bytes.length + 1) + length);
  return bytes;
}

/** A changed copy: one to four mutations at random places. */
export function mutate(bytes: Uint8Array, random: Random): Buffer {
  let changed = Buffer.from(bytes);
  for (let count = 1 + random.below(4); count > 0; count--) changed = Buffer.from(random.pick(mutations)(changed, random));
  return changed;
}

/**
 * A safetensors file whose header is still read: its text is changed and its length told truly, so that what is tested is not the
 * JSON parser. Half of the time whole numbers or words are exchanged.
 */
export function mutateSafetensors(bytes: Uint8Array, random: Random): Buffer {
  const file = Buffer.from(bytes);
  const headerBytes = Number(file.readBigUInt64LE());
  const text = file.toString("latin1", 8, 8 + headerBytes);
  const changed = random.below(2) === 0 ? exchangeWords(text, random) : mutate(Buffer.from(text, "latin1"), random).toString("latin1");
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(changed.length));
  const data = file.subarray(8 + headerBytes);
  return Buffer.concat([length, Buffer.from(changed, "latin1"), random.below(4) === 0 ? mutate(data, random) : data]);
}

const words: readonly string[] = [
  "0",
  "1",
  "2",
  "-1",
  "8",
  "24",
  "96",
  "1.0",
  "1e3",
  "4294967296",
  "9007199254740993",
  "18446744073709551616",
  "null",
  "true",
  "[]",
  "{}",
  '"F32"',
  '"U8"',
  '"BF16"',
  '"F4"',
  '"F8_E4M3"',
  '"__metadata__"',
  '"a"',
  '"__proto__"',
  '"dtype"',
];

function exchangeWords(text: string, random: Random): string {
  const tokens = text.match(/"[^"]*"|[0-9]+|[^"0-9]+/g) ?? [];
  for (let count = 1 + random.below(3); count > 0; count--) {
    tokens[random.below(tokens.length)] = random.below(3) === 0 ? random.pick(tokens) : random.pick(words);
  }
  return tokens.join("");
}

/** An archive whose directory is still read: bytes are changed in its pickle alone, which keeps its length. */
export function mutateTorchPickle(bytes: Uint8Array, random: Random): Buffer {
  const file = Buffer.from(bytes);
  const nameEnd = file.indexOf("data.pkl") + "data.pkl".length;
  const headerOffset = nameEnd - file.readUInt16LE(26);
  const start = nameEnd + file.readUInt16LE(headerOffset - 2);
  const end = file.indexOf("PK", start);
  const pickle = mutate(file.subarray(start, end), random);
  file.fill(0, start, end);
  pickle.copy(file, start, 0, Math.min(pickle.length, end - start));
  return file;
}
