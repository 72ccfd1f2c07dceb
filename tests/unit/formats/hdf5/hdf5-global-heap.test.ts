import { describe, expect, test } from "vitest";
import { checkGlobalHeap, isGlobalHeap, lengthBytesOf } from "../../../../src/formats/hdf5/hdf5-global-heap.js";

const superblock = (version: number, lengthBytes: number) => {
  const bytes = Buffer.alloc(24);
  bytes.write("\x89HDF\r\n\x1a\n", "latin1");
  bytes[8] = version;
  bytes[version < 2 ? 14 : 10] = lengthBytes;
  return bytes;
};

test.each([
  [0, 8],
  [1, 4],
  [2, 8],
  [3, 4],
])("a superblock of version %i says that sizes take %i bytes", (version, lengthBytes) => {
  expect(lengthBytesOf(superblock(version, lengthBytes))).toBe(lengthBytes);
});

test("other bytes, and too few, say nothing", () => {
  expect(lengthBytesOf(Buffer.alloc(24))).toBeUndefined();
  expect(lengthBytesOf(superblock(2, 8).subarray(0, 15))).toBeUndefined();
});

/** A collection with objects of `[index, length]`, 8 bytes a size. */
function collection(size: number, ...objects: readonly (readonly [index: number, length: number])[]): Buffer {
  const bytes = Buffer.alloc(Math.max(size, 16));
  bytes.write("GCOL");
  bytes.writeUInt8(1, 4);
  bytes.writeBigUInt64LE(BigInt(size), 8);
  let at = 16;
  for (const [index, length] of objects) {
    bytes.writeUInt16LE(index, at);
    bytes.writeBigUInt64LE(BigInt(length), at + 8);
    at += index === 0 ? length : 16 + Math.ceil(length / 8) * 8;
  }
  return bytes;
}

const check = (bytes: Buffer, lengthBytes = 8) =>
  checkGlobalHeap("file.h5", 100, lengthBytes, (offset, length) => bytes.subarray(offset - 100, offset - 100 + length));

test("a collection is known by its signature", () => {
  expect(isGlobalHeap(collection(16))).toBe(true);
  expect(isGlobalHeap(Buffer.from("GCO"))).toBe(false);
});

test("objects are padded, free space counts its own header, and what is too short for an object at the end is none", () => {
  expect(() => check(collection(16 + 16 + 8 + 32, [1, 5], [0, 32]))).not.toThrow();
  expect(() => check(collection(16 + 16 + 8 + 8, [1, 8]))).not.toThrow();
});

describe("FORMAT_INVALID, with the place in the file", () => {
  test.each<[what: string, bytes: Buffer, lengthBytes: number, at: number, reason: string]>([
    ["sizes of two bytes", collection(16), 2, 100, "has sizes of 2 bytes"],
    ["a collection smaller than its header", collection(8), 8, 108, "has a collection of 8 bytes"],
    ["a collection larger than any", collection(16).fill(0xff, 8, 14), 8, 108, "has a collection of"],
    ["free space of no size, which would be walked for ever", collection(64, [0, 0]), 8, 116, "has an object of 0 bytes, 48 bytes before its end"],
    ["an object that goes beyond the end", collection(64, [1, 40]), 8, 116, "has an object of 40 bytes, 48 bytes before its end"],
    ["a second object that does", collection(88, [1, 8], [2, 80]), 8, 140, "has an object of 80 bytes, 48 bytes before its end"],
  ])("%s", (_, bytes, lengthBytes, at, reason) => {
    expect(() => check(bytes, lengthBytes)).toThrow(
      expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringMatching(new RegExp(`file\\.h5.*${at}.*the global heap ${reason}`)) }),
    );
  });
});

test("sizes of four bytes are read as such", () => {
  const bytes = collection(64);
  bytes.writeUInt32LE(64, 8);
  bytes.writeUInt32LE(0xdead, 12); // belongs to something else
  bytes.writeUInt16LE(1, 16);
  bytes.writeUInt32LE(32, 24);
  expect(() => check(bytes, 4)).not.toThrow();
});
