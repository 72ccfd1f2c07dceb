import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FileBytes } from "../../../../src/formats/file-bytes.js";
import { unpackZip } from "../../../../src/formats/zip/unpack-zip.js";
import { ZipArchive } from "../../../../src/formats/zip/zip-archive.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();

/** An archive that Python's zipfile writes. */
function archive(body: string): string {
  const path = join(mkdtempSync(join(directory, "made-")), "made.zip");
  expectedFrom(
    `import sys, warnings, zipfile\nwarnings.simplefilter("ignore")\nwith zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:\n    ${body}\nprint(0)`,
    path,
  );
  return path;
}

async function unpack(path: string, mostBytes = 1e9): Promise<string> {
  const folder = mkdtempSync(join(directory, "unpacked-"));
  const file = new FileBytes(path);
  try {
    await unpackZip(file, new ZipArchive(file), folder, mostBytes);
  } catch (error) {
    expect(readdirSync(directory).sort(), "nothing is written outside").toEqual(
      readdirSync(directory)
        .filter((name) => /^(?:made|unpacked)-/.test(name))
        .sort(),
    );
    throw error;
  } finally {
    file.close();
  }
  return folder;
}

const two = archive(
  'z.writestr("run/numbers", bytes(range(256)) * 9000); z.writestr("run/", b""); z.writestr("run/empty", b""); z.writestr(zipfile.ZipInfo("run/deep/ü"), b"stored"); z.writestr("__MACOSX/run/._numbers", b"1"); z.writestr("run/.DS_Store", b"1")',
);

test("files come out as Python packed them, compressed or not; what macOS adds is left out", async () => {
  const folder = await unpack(two);
  expect(readdirSync(folder)).toEqual(["run"]);
  expect(readdirSync(join(folder, "run")).sort()).toEqual(["deep", "empty", "numbers"]);
  expect(readFileSync(join(folder, "run", "numbers"))).toEqual(Buffer.from(Array.from({ length: 256 * 9000 }, (_, at) => at % 256)));
  expect(readFileSync(join(folder, "run", "deep", "ü"), "utf8")).toBe("stored");
});

test.each([
  ["a way up", 'z.writestr("../up", b"1")'],
  ["a way up in the middle", 'z.writestr("run/../../up", b"1")'],
  ["a path from the root", 'z.writestr("/tmp/root", b"1")'],
  ["a drive", 'z.writestr("C:up", b"1")'],
  ["a backslash", 'i = zipfile.ZipInfo("x"); i.filename = "..\\\\up"; z.writestr(i, b"1")'],
  ["an escape sequence", 'z.writestr("\\x1b[2J", b"1")'],
  ["an empty part", 'z.writestr("run//up", b"1")'],
  ["a long way down", 'z.writestr("a/" * 40 + "b", b"1")'],
])("an archive with %s in a name writes nothing", async (_, body) => {
  await expect(unpack(archive(`z.writestr("run/first", b"1"); ${body}`))).rejects.toMatchObject({ code: "FORMAT_INVALID" });
});

test("a link is refused", async () => {
  const path = archive('i = zipfile.ZipInfo("run/link"); i.create_system = 3; i.external_attr = 0o120777 << 16; z.writestr(i, b"/etc/passwd")');
  await expect(unpack(path)).rejects.toMatchObject({ code: "FORMAT_INVALID", message: expect.stringContaining("is a link") });
});

test("two files of one place are refused", async () => {
  await expect(unpack(archive('z.writestr("run", b"1"); z.writestr("run/inside", b"1")'))).rejects.toMatchObject({
    code: "FORMAT_INVALID",
    message: expect.stringContaining("has the place of another file"),
  });
});

test("more than is allowed is refused before anything is written", async () => {
  await expect(unpack(two, 256 * 9000 - 1)).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
});

test("other compressions are told", async () => {
  await expect(unpack(archive('z.writestr("a", b"1" * 99, zipfile.ZIP_BZIP2)'))).rejects.toMatchObject({
    code: "FORMAT_UNSUPPORTED",
    message: expect.stringContaining("method 12"),
  });
});

/** The archive with another number in an entry of its directory: 4 bytes, little-endian, at a place of the entry. */
function lying(place: number, number: number): string {
  const path = archive('z.writestr("a", b"0123456789" * 500)');
  const bytes = readFileSync(path);
  bytes.writeUInt32LE(number, bytes.indexOf("PK\u0001\u0002", 0, "latin1") + place);
  writeFileSync(path, bytes);
  return path;
}

test.each([
  ["longer than it says", 24, 100, /goes on after the 100 bytes/],
  ["shorter than it says", 24, 9000, /its checksum is another/],
  ["of another checksum", 16, 1, /its checksum is another/],
])("a file %s is refused", async (_, place, number, message) => {
  await expect(unpack(lying(place, number))).rejects.toMatchObject({ code: "FORMAT_INVALID", message: expect.stringMatching(message) });
});

test("a compressed file that is cut off is refused", async () => {
  await expect(unpack(lying(20, 9))).rejects.toMatchObject({ code: "FORMAT_INVALID", message: expect.stringContaining("cannot be unpacked") });
});
