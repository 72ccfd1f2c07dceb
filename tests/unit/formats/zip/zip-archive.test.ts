import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FileBytes } from "../../../../src/formats/file-bytes.js";
import { ZipArchive } from "../../../../src/formats/zip/zip-archive.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();

/** An archive that Python writes. */
function archive(name: string, body: string): string {
  const path = join(directory, name);
  expectedFrom(`import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], "w") as z:\n    ${body}\nprint(0)`, path);
  return path;
}

/** The bytes of each entry, read where the archive says that they are. */
function contents(path: string): Record<string, string> {
  const file = new FileBytes(path);
  try {
    const zip = new ZipArchive(file);
    return Object.fromEntries([...zip.entries.values()].map((entry) => [entry.name, Buffer.from(file.read(zip.locate(entry), entry.bytes, "it")).toString()]));
  } finally {
    file.close();
  }
}

const plain = archive("plain.zip", 'z.writestr("a", b"123"); z.writestr("ü/b", b""); z.writestr("c", b"4567")');

test("entries are found where Python put them, empty ones and names beyond ASCII too", () => {
  expect(contents(plain)).toEqual({ a: "123", "ü/b": "", c: "4567" });
});

test("a header with a field of its own, as 64-bit archives and aligned ones have, is stepped over", () => {
  expect(contents(archive("wide.zip", 'f = z.open("a", "w", force_zip64=True); f.write(b"123"); f.close()'))).toEqual({ a: "123" });
  const aligned = 'i = zipfile.ZipInfo("a"); i.extra = b"FB" + bytes([60, 0]) + b"Z" * 60; z.writestr(i, b"123")';
  expect(contents(archive("aligned.zip", aligned))).toEqual({ a: "123" });
});

test("a compressed entry is listed, and refused when its bytes are asked for", () => {
  expect(() => contents(archive("packed.zip", 'z.writestr("a", b"0" * 5000, zipfile.ZIP_DEFLATED)'))).toThrow(
    expect.objectContaining({
      code: "FORMAT_UNSUPPORTED",
      message: expect.stringContaining('entry "a" is compressed; torch.save stores its entries as they are. Save the file again'),
    }),
  );
});

describe("an archive is refused", () => {
  const sound = readFileSync(plain);
  const entry = (name: string) => sound.lastIndexOf(Buffer.from(name)) - 46;
  const changed = (at: number, ...bytes: number[]): string => {
    const path = join(directory, "changed.zip");
    const content = Buffer.from(sound);
    content.set(bytes, at);
    writeFileSync(path, content);
    return path;
  };
  const place = entry("c");
  const header = sound.readUInt32LE(place + 42);

  test.each<[string, () => string, string, RegExp]>([
    ["whose entry is encrypted", () => changed(place + 8, 1), "FORMAT_UNSUPPORTED", /entry "c" is encrypted/],
    ["whose entry has no header of its own", () => changed(header, 0), "FORMAT_INVALID", /entry "c" has no header/],
    ["whose header has another name", () => changed(header + 30, 0x64), "FORMAT_INVALID", /the header of entry "c" has another name/],
    ["whose header has a longer name", () => changed(header + 26, 2), "FORMAT_INVALID", /the header of entry "c" has another name/],
    ["whose entry runs into the next", () => changed(28, 2), "FORMAT_INVALID", /entry "a" of 3 bytes overlaps what begins at byte \d+/],
    ["two of whose entries are one", () => changed(place + 42, 0, 0), "FORMAT_INVALID", /two entries of the archive share their bytes/],
  ])("%s", (_, make, code, message) => {
    expect(() => contents(make())).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});
