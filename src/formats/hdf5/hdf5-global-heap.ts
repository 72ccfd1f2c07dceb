import { formatInvalid } from "../format-invalid.js";

const superblockSignature = Buffer.from("\x89HDF\r\n\x1a\n", "latin1");
const collectionSignature = Buffer.from("GCOL");
/** Sizes are padded to multiples of this. */
const alignment = 8;
/** Of a collection: signature, version, reserved, size. Of an object in it: index, references, reserved, size. Both are padded. */
const headerBytes = 16;
const sizeOffset = 8;
/** Strings of attributes fill some kilobytes; so much is looked at. */
const maxCollectionBytes = 64 * 2 ** 20;

/** How many bytes a size takes in this file, when these bytes are the superblock that says so. */
export function lengthBytesOf(bytes: Buffer): number | undefined {
  if (bytes.length < headerBytes || !bytes.subarray(0, superblockSignature.length).equals(superblockSignature)) return undefined;
  const version = bytes.readUInt8(8);
  return bytes.readUInt8(version < 2 ? 14 : 10);
}

/** Whether bytes begin a global heap collection, in which strings of variable length lie. */
export function isGlobalHeap(bytes: Buffer): boolean {
  return bytes.subarray(0, collectionSignature.length).equals(collectionSignature);
}

/**
 * Make sure that a global heap collection ends: the HDF5 library walks its objects by their sizes, for ever when a piece of free space has none.
 *
 * Format: HDF5 File Format Specification 3.0, III.E.
 *
 * @param position of the collection in the file.
 * @param read gives bytes of the file.
 * @throws {BhBridgeError} `FORMAT_INVALID`.
 */
export function checkGlobalHeap(path: string, position: number, lengthBytes: number, read: (offset: number, length: number) => Buffer): void {
  const invalid = (at: number, reason: string) => formatInvalid(path, position + at, `the global heap ${reason}`);
  if (lengthBytes !== 4 && lengthBytes !== 8) throw invalid(0, `has sizes of ${lengthBytes} bytes`);
  const sizeAt = (bytes: Buffer, at: number) => (lengthBytes === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at));
  const size = sizeAt(read(position, headerBytes), sizeOffset);
  if (size < headerBytes || size > maxCollectionBytes) throw invalid(sizeOffset, `has a collection of ${size} bytes`);
  const bytes = read(position, size);
  for (let at = headerBytes; at + headerBytes <= size; ) {
    const length = sizeAt(bytes, at + sizeOffset);
    // Free space, which has the index 0, counts its own header.
    const taken = bytes.readUInt16LE(at) === 0 ? length : headerBytes + Math.ceil(length / alignment) * alignment;
    if (taken < headerBytes || at + taken > size) throw invalid(at, `has an object of ${length} bytes, ${size - at} bytes before its end`);
    at += taken;
  }
}
