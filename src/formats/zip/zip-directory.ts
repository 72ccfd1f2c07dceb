import { type FileBytes, formatInvalid } from "../file-bytes.js";

/** A file inside a zip archive, as the archive's directory lists it. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: number;
  /** Size in the file; equal to `bytes` unless compressed. */
  readonly storedBytes: number;
  /** How it is compressed: 0 as it is, 8 by DEFLATE. */
  readonly method: number;
  /** CRC-32 of its bytes. */
  readonly crc: number;
  /** Type and permissions as Unix has them; 0 where the archive does not tell. */
  readonly mode: number;
  readonly encrypted: boolean;
  /** Where its own header starts. */
  readonly headerOffset: number;
}

/** The directory of a zip archive (APPNOTE 6.3.10, sections 4.3.12 to 4.3.16). */
export interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  /** Where the directory begins: the end of the entries. */
  readonly offset: number;
}

const endRecordBytes = 22;
const endRecordSignature = 0x06054b50;
/** The comment at the end of an archive has a 16-bit length. */
const maxCommentBytes = 0xffff;
const locator64Bytes = 20;
const locator64Signature = 0x07064b50;
const endRecord64Bytes = 56;
const endRecord64Signature = 0x06064b50;
const entryBytes = 46;
const entrySignature = 0x02014b50;
/** Encrypted (bit 0), encrypted strongly (6), directory encrypted (13), or a patch of another file (5). */
const lockedFlags = 0x2061;
/** In MS-DOS's attributes, which are the low byte whatever the system. */
const folderAttribute = 0x10;
const extra64Id = 0x0001;
const all16 = 0xffff;
const all32 = 0xffff_ffff;
/** The largest directory that is read: an archive of 100,000 tensors has one of about 7 MB. */
const maxDirectoryBytes = 64 * 2 ** 20;

interface End {
  count: number;
  bytes: number;
  offset: number;
}

/**
 * Read the directory at the archive's end. yauzl 3.4 is no replacement: it is asynchronous, needs 11.7 s for 65,600 entries (0.2 s here), and accepts five of
 * the damaged archives in the tests, such as one that holds a name twice.
 * @throws {BhBridgeError} `FORMAT_INVALID`.
 */
export function readZipDirectory(file: FileBytes): ZipDirectory {
  const end = readEnd(file);
  if (end.bytes > maxDirectoryBytes)
    throw formatInvalid(file.path, end.offset, `the archive's directory has ${end.bytes} bytes; at most ${maxDirectoryBytes} are read`);
  if (end.count * entryBytes > end.bytes) throw formatInvalid(file.path, end.offset, `${end.count} entries do not fit into a directory of ${end.bytes} bytes`);
  const bytes = file.read(end.offset, end.bytes, "the archive's directory");
  const view = new DataView(bytes.buffer);
  const names = new Set<string>();
  const entries: ZipEntry[] = [];
  let position = 0;
  while (entries.length < end.count) {
    const next = readEntry(file, end, view, position);
    if (names.has(next.entry.name)) throw formatInvalid(file.path, end.offset + position, `the archive holds "${next.entry.name}" twice`);
    names.add(next.entry.name);
    entries.push(next.entry);
    position = next.end;
  }
  if (position !== end.bytes) throw formatInvalid(file.path, end.offset + position, "the archive's directory goes on after its last entry");
  return { entries, offset: end.offset };
}

function readEnd(file: FileBytes): End {
  const tailOffset = Math.max(0, file.size - endRecordBytes - maxCommentBytes);
  const tail = file.read(tailOffset, file.size - tailOffset, "the archive's end");
  const view = new DataView(tail.buffer);
  for (let at = tail.byteLength - endRecordBytes; at >= 0; at--) {
    const ends = view.getUint32(at, true) === endRecordSignature && at + endRecordBytes + view.getUint16(at + 20, true) === tail.byteLength;
    if (ends) return readEndRecord(file, tailOffset + at, new DataView(tail.buffer, at, endRecordBytes));
  }
  throw formatInvalid(file.path, file.size, "a zip archive must end with its directory, and this file does not: it is cut off");
}

function readEndRecord(file: FileBytes, at: number, view: DataView): End {
  const small: End = { count: view.getUint16(10, true), bytes: view.getUint32(12, true), offset: view.getUint32(16, true) };
  const large = readEnd64(file, at);
  const fits = (value: number, known: number, all: number): boolean => value === known || value === all;
  if (large && !(fits(small.count, large.count, all16) && fits(small.bytes, large.bytes, all32) && fits(small.offset, large.offset, all32))) {
    throw formatInvalid(file.path, at, "the archive's two end records contradict each other");
  }
  const isWhole = view.getUint16(4, true) === 0 && view.getUint16(6, true) === 0 && view.getUint16(8, true) === small.count;
  if (!isWhole) throw formatInvalid(file.path, at, "the archive is one of several parts");
  const end = large ?? small;
  const limit = large ? at - locator64Bytes - endRecord64Bytes : at;
  if (end.offset + end.bytes !== limit) throw formatInvalid(file.path, at, `the archive's directory ends at byte ${end.offset + end.bytes}, not at ${limit}`);
  return end;
}

function readEnd64(file: FileBytes, end: number): End | undefined {
  if (end < locator64Bytes + endRecord64Bytes) return undefined;
  const at = end - locator64Bytes - endRecord64Bytes;
  const bytes = file.read(at, endRecord64Bytes + locator64Bytes, "the archive's 64-bit end record");
  const view = new DataView(bytes.buffer);
  if (view.getUint32(endRecord64Bytes, true) !== locator64Signature) return undefined;
  // The stored length excludes the first twelve bytes of the record.
  const isRecord = view.getUint32(0, true) === endRecord64Signature && view.getBigUint64(4, true) === BigInt(endRecord64Bytes - 12);
  if (!isRecord || view.getBigUint64(endRecord64Bytes + 8, true) !== BigInt(at)) {
    throw formatInvalid(file.path, at, "the archive's 64-bit end record is not where it is said to be");
  }
  const count = number64(file, view, 32, at);
  const disks = [view.getUint32(16, true), view.getUint32(20, true), view.getUint32(endRecord64Bytes + 4, true), view.getUint32(endRecord64Bytes + 16, true)];
  if (disks.join() !== "0,0,0,1" || number64(file, view, 24, at) !== count) throw formatInvalid(file.path, at, "the archive is one of several parts");
  return { count, bytes: number64(file, view, 40, at), offset: number64(file, view, 48, at) };
}

/** An unsigned 64-bit number that cannot be larger than the file. */
function number64(file: FileBytes, view: DataView, position: number, base: number): number {
  const value = view.getBigUint64(position, true);
  if (value > BigInt(file.size)) throw formatInvalid(file.path, base + position, `${value} is more than the file's ${file.size} bytes`);
  return Number(value);
}

function readEntry(file: FileBytes, directory: End, view: DataView, at: number): { entry: ZipEntry; end: number } {
  const fail = (reason: string) => formatInvalid(file.path, directory.offset + at, reason);
  if (at + entryBytes > view.byteLength || view.getUint32(at, true) !== entrySignature) throw fail("an entry of the archive's directory is missing");
  const [nameBytes, extraBytes, commentBytes] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)];
  const nameEnd = at + entryBytes + nameBytes;
  const end = nameEnd + extraBytes + commentBytes;
  if (end > view.byteLength) throw fail("an entry goes beyond the archive's directory");
  const name = decodeName(new Uint8Array(view.buffer, at + entryBytes, nameBytes));
  if (name === undefined) throw fail("the name of an entry is not UTF-8 text");
  const fields = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
  const [bytes = 0, storedBytes = 0, headerOffset = 0] = widen(file, directory, view, fields, nameEnd, nameEnd + extraBytes);
  const isFolder = name.endsWith("/") || (view.getUint32(at + 38, true) & folderAttribute) !== 0;
  if (isFolder && bytes > 0) throw fail(`entry "${name}" is said to be a folder, yet to have ${bytes} bytes`);
  if (view.getUint16(at + 34, true) !== 0) throw fail(`entry "${name}" is in another part of the archive`);
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  if (method === 0 && bytes !== storedBytes) throw fail(`entry "${name}" is stored as it is, yet in ${storedBytes} bytes for ${bytes}`);
  if (headerOffset >= directory.offset) throw fail(`entry "${name}" is said to begin at byte ${headerOffset}, after the entries' end`);
  const [crc, mode] = [view.getUint32(at + 16, true), view.getUint16(at + 40, true)];
  return { entry: { name, bytes, storedBytes, method, crc, mode, encrypted: (flags & lockedFlags) !== 0, headerOffset }, end };
}

function decodeName(bytes: Uint8Array): string | undefined {
  const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  return name.includes("\ufffd") || name.includes("\0") ? undefined : name;
}

/** Replace the fields that say "see the 64-bit extra field" (all bits set) by the values in that field, in the order of the format. */
function widen(file: FileBytes, directory: End, view: DataView, fields: readonly number[], extraStart: number, extraEnd: number): number[] {
  if (!fields.includes(all32)) return [...fields];
  let at = extraStart;
  while (at + 4 <= extraEnd && view.getUint16(at, true) !== extra64Id) at += 4 + view.getUint16(at + 2, true);
  let position = at + 4;
  return fields.map((field) => {
    if (field !== all32) return field;
    if (position + 8 > extraEnd) throw formatInvalid(file.path, directory.offset + extraStart, "an entry lacks its 64-bit sizes");
    position += 8;
    return number64(file, view, position - 8, directory.offset);
  });
}
