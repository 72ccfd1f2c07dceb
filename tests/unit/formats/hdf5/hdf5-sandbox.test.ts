import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FileBytes } from "../../../../src/formats/file-bytes.js";
import { checkGlobalHeap, Hdf5Sandbox, isGlobalHeap, lengthBytesOf } from "../../../../src/formats/hdf5/hdf5-sandbox.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();

function written(name: string, body: string): FileBytes {
  const path = join(directory, name);
  expectedFrom(`import sys, h5py, numpy as np\nwith h5py.File(sys.argv[1], "w") as f:\n    ${body}\nprint(0)`, path);
  return new FileBytes(path);
}

const names = (sandbox: Hdf5Sandbox) => sandbox.run((module) => module.get_names(sandbox.fileId, "/", false));

test("two files are open side by side, and one goes on when the other is closed", async () => {
  const [a, b] = [written("a.h5", 'f["one"] = np.ones(1)'), written("b.h5", 'f["two"] = np.ones(1)')];
  const [first, second] = [await Hdf5Sandbox.open(a), await Hdf5Sandbox.open(b)];
  expect([names(first), names(second)]).toEqual([["one"], ["two"]]);
  first.close();
  expect(names(second)).toEqual(["two"]);
  second.close();
  for (const file of [a, b]) file.close();
});

test("an attribute is a text of a few letters, or nothing", async () => {
  const file = written(
    "attributes.h5",
    'f["w"] = np.ones(1); a = f["w"].attrs; a["text"] = "bfloat16"; a["number"] = 3; a["long"] = np.bytes_(b"x" * 65); a["list"] = ["a", "b"]',
  );
  const sandbox = await Hdf5Sandbox.open(file);
  expect(["text", "number", "long", "list"].map((name) => sandbox.textAttribute("/w", name))).toEqual(["bfloat16", undefined, undefined, undefined]);
  sandbox.close();
  file.close();
});

test("what is no HDF5 is refused, with the library's own words as the cause and nothing on the terminal", async () => {
  const path = join(directory, "text.h5");
  writeFileSync(path, "not HDF5 at all, whatever its name");
  const file = new FileBytes(path);
  await expect(Hdf5Sandbox.open(file)).rejects.toMatchObject({ message: "the library cannot open it", cause: expect.stringMatching(/HDF5|file signature/) });
  file.close();
});

test("a file that is cut off while it is open gives the error of the reading, not what the library makes of it", async () => {
  const file = written("cut.h5", 'f.create_dataset("w", data=np.arange(2**18), chunks=(2**17,))');
  const sandbox = await Hdf5Sandbox.open(file);
  truncateSync(file.path, 3000);
  const read = () =>
    sandbox.run((module) => {
      const address = module._malloc(2 ** 21);
      try {
        return module.get_dataset_data(sandbox.fileId, "/w", [BigInt(2 ** 18)], [0n], [1n], BigInt(address));
      } finally {
        module._free(address);
      }
    });
  expect(read).toThrow(expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringContaining("its HDF5 structures") }));
  sandbox.close();
  file.close();
});

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
