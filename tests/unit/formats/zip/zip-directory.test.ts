import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FileBytes } from "../../../../src/formats/file-bytes.js";
import { readZipDirectory, type ZipDirectory } from "../../../../src/formats/zip/zip-directory.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();

function read(path: string): ZipDirectory {
  const file = new FileBytes(path);
  try {
    return readZipDirectory(file);
  } finally {
    file.close();
  }
}

/** An archive that Python writes, and what its zipfile says of it. */
function archive(name: string, body: string): { path: string; listed: ZipDirectory } {
  const path = join(directory, name);
  const program = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as z:
    ${body}
with zipfile.ZipFile(sys.argv[1]) as z:
    entries = [dict(name=i.filename, bytes=i.file_size, storedBytes=i.compress_size, method=i.compress_type, crc=i.CRC, mode=i.external_attr >> 16, encrypted=bool(i.flag_bits & 1), headerOffset=i.header_offset) for i in z.infolist()]
    print(json.dumps(dict(entries=entries, offset=z.start_dir)))`;
  return { path, listed: expectedFrom(program, path) };
}

const plain = archive("plain.zip", 'z.writestr("a/data.pkl", b"0123456789"); z.writestr("ü/b", b""); z.writestr("c/", b"")');
const end = 22;

test.each([
  ["files, a folder, an empty one", plain],
  ["a compressed file", archive("packed.zip", 'z.writestr("a", b"0" * 5000, zipfile.ZIP_DEFLATED)')],
  ["a comment", archive("comment.zip", 'z.writestr("a", b"1"); z.comment = b"as of 2026"')],
  ["64-bit sizes", archive("large.zip", 'f = z.open("a", "w", force_zip64=True); f.write(b"123"); f.close()')],
  ["more entries than 16 bits count", archive("many.zip", '[z.writestr(f"{i}", b"") for i in range(65600)]')],
  ["no entry", archive("empty.zip", "pass")],
])("an archive with %s is listed as Python lists it", (_, { path, listed }) => expect(read(path)).toEqual(listed));

/** The plain archive with other bytes at a place. */
function changed(at: number, ...bytes: number[]): string {
  const path = join(directory, "changed.zip");
  const content = readFileSync(plain.path);
  content.set(bytes, at);
  writeFileSync(path, content);
  return path;
}

const size = readFileSync(plain.path).length;
const endRecord = size - end;
const first = plain.listed.offset;

test.each<[string, () => string, RegExp]>([
  ["that is cut off", () => rewritten((content) => content.subarray(0, -1)), /must end with its directory/],
  ["with something after its end", () => rewritten((content) => Buffer.concat([content, Buffer.alloc(1)])), /must end with its directory/],
  ["of several parts", () => changed(endRecord + 4, 1), /one of several parts/],
  ["with more entries than there is room for", () => changed(endRecord + 8, 0xff, 0, 0xff, 0), /255 entries do not fit into a directory of \d+ bytes/],
  ["with an entry more than said", () => changed(endRecord + 8, 2, 0, 2, 0), /goes on after its last entry/],
  ["whose directory is elsewhere", () => changed(endRecord + 16, first - 1), /directory ends at byte/],
  ["whose entry has no signature", () => changed(first, 0), /an entry of the archive's directory is missing/],
  ["whose entry has a name that goes on and on", () => changed(first + 28, 0xff, 0xff), /an entry goes beyond the archive's directory/],
  ["with a name that is no text", () => changed(first + 46, 0xff), /the name of an entry is not UTF-8/],
  ["with a file stored in other bytes than it has", () => changed(first + 20, 9), /"a\/data\.pkl" is stored as it is, yet in 9 bytes for 10/],
  ["with a folder that has bytes", () => changed(first + 38, 0x10), /"a\/data\.pkl" is said to be a folder, yet to have 10 bytes/],
  ["with a file that begins after all files", () => changed(first + 42, 0xff, 0xff), /"a\/data\.pkl" is said to begin at byte 65535/],
])("an archive %s is refused", (_, make, message) => {
  expect(() => read(make())).toThrow(expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringMatching(message) }));
});

function rewritten(change: (content: Buffer) => Buffer): string {
  const path = join(directory, "changed.zip");
  writeFileSync(path, change(readFileSync(plain.path)));
  return path;
}

test("a comment in which an archive seems to end deceives Python alone", () => {
  const one = archive("one.zip", 'z.writestr("a", b"1")');
  const deceiving = archive("deceiving.zip", 'z.writestr("a", b"1"); z.comment = b"PK\\x05\\x06" + bytes(30)');
  expect(deceiving.listed.entries).toEqual([]);
  expect(read(deceiving.path)).toEqual(one.listed);
});

test("a name that stands twice is refused, though Python takes the last", () => {
  const twice = archive("twice.zip", 'import warnings; warnings.simplefilter("ignore"); z.writestr("a", b"1"); z.writestr("a", b"2")');
  expect(() => read(twice.path)).toThrow(/holds "a" twice/);
});
