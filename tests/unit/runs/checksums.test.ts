import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type Checksums,
  manifestSums,
  parseChecksums,
  readChecksumsText,
  sha256,
  sha256OfFile,
  verifyFiles,
  writeChecksums,
  writeCovered,
} from "../../../src/runs/checksums.js";
import { temporaryDirectory } from "../formats/reference-python.js";

/** SHA-256 of a file, or of its first bytes, by the system's own program. */
const systemSum = (path: string, bytes?: number) =>
  execFileSync("sh", ["-c", bytes === undefined ? 'sha256sum < "$0"' : `head -c ${bytes} "$0" | sha256sum`, path], { encoding: "utf8" }).slice(0, 64);

function checksums(files: Record<string, string> = {}): Checksums {
  return { files: new Map(Object.entries(files)), heads: new Map(), next: new Map() };
}

const sumsOf = (directory: string) => parseChecksums(readChecksumsText(directory) ?? "");

test.each([0, 1, 4104, 2 ** 20, 2 ** 20 + 1, 3_000_000])("the checksum of a file of %i bytes is the system's, and so is that of its head", (size) => {
  const path = join(temporaryDirectory(), "file");
  writeFileSync(path, Buffer.alloc(size, "bh-bridge"));
  expect(sha256OfFile(path)).toBe(systemSum(path));
  expect(sha256OfFile(path, 4104)).toBe(systemSum(path, 4104));
});

test("what is written is read again: files, heads and what is about to be, whatever their names", () => {
  const directory = temporaryDirectory();
  const sum = (text: string) => sha256(text);
  const sums: Checksums = {
    files: new Map([
      ["a b/ünï  code.json", sum("1")],
      ["#head x", sum("2")],
    ]),
    heads: new Map([["history.safetensors", sum("3")]]),
    next: new Map([["notes.json", sum("4")]]),
  };
  writeChecksums(directory, sums);
  const read = sumsOf(directory);
  expect(read && Object.fromEntries(Object.entries(read).map(([key, map]) => [key, Object.fromEntries(map)]))).toEqual(
    Object.fromEntries(Object.entries(sums).map(([key, map]) => [key, Object.fromEntries(map)])),
  );
});

test("a single other character is damage, wherever it is", () => {
  const directory = temporaryDirectory();
  writeChecksums(directory, checksums({ "config.json": sha256("{}") }));
  const text = readChecksumsText(directory) ?? "";
  for (const place of [0, 40, text.indexOf("config"), text.length - 2]) {
    const changed = `${text.slice(0, place)}${text[place] === "a" ? "b" : "a"}${text.slice(place + 1)}`;
    expect(parseChecksums(changed), `character ${place}`).toBeUndefined();
  }
  expect(parseChecksums(text.slice(0, -1))).toBeUndefined();
  expect(parseChecksums("")).toBeUndefined();
});

test("a run without checksums has none", () => expect(readChecksumsText(temporaryDirectory())).toBeUndefined());

test("a file that is written with its checksum fits it, and others keep theirs", () => {
  const directory = temporaryDirectory();
  writeChecksums(directory, checksums({ "config.json": sha256("{}") }));
  writeCovered(directory, "notes.json", "first");
  writeCovered(directory, "notes.json", "second");
  const sums = sumsOf(directory);
  expect([...(sums?.files ?? [])]).toEqual([
    ["config.json", sha256("{}")],
    ["notes.json", systemSum(join(directory, "notes.json"))],
  ]);
  expect(sums?.next.size).toBe(0);
  expect(readFileSync(join(directory, "notes.json"), "utf8")).toBe("second");
});

test("after a writer that died, the next one takes what has become of the file for right, before or after the change", () => {
  const announced = { ...checksums({ "notes.json": sha256("before") }), next: new Map([["notes.json", sha256("after")]]) };
  for (const content of ["before", "after"]) {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "notes.json"), content);
    writeChecksums(directory, { ...announced, files: new Map(announced.files), next: new Map(announced.next) });
    writeCovered(directory, "notes.json", "now");
    expect([sumsOf(directory)?.files.get("notes.json"), sumsOf(directory)?.next.size]).toEqual([sha256("now"), 0]);
  }
});

test("damaged checksums are left as they are, and the file is written all the same", () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "SHA256SUMS"), "damaged\n");
  writeCovered(directory, "notes.json", "text");
  expect([readChecksumsText(directory), readFileSync(join(directory, "notes.json"), "utf8")]).toEqual(["damaged\n", "text"]);
});

const contents = { "config.json": "{}", "model.safetensors": "weights" };
const sum = (text: string) => createHash("sha256").update(text).digest("hex");
const listed = Object.fromEntries(Object.entries(contents).map(([name, text]) => [name, { size: text.length, sha256: sum(text) }]));

/** A model's directory with a manifest. */
function model(manifest: unknown = { format: 1, files: listed }): string {
  const directory = temporaryDirectory();
  for (const [name, text] of Object.entries(contents)) writeFileSync(join(directory, name), text);
  writeFileSync(join(directory, "MANIFEST.json"), typeof manifest === "string" ? manifest : JSON.stringify(manifest));
  return directory;
}

test("a whole directory has no problem, and its sums are those of its manifest", () => {
  const directory = model();
  expect(verifyFiles(directory)).toEqual([]);
  expect(manifestSums(directory)).toEqual(new Map(Object.entries(contents).map(([name, text]) => [name, sum(text)])));
});

test.each<[string, (directory: string) => void, RegExp]>([
  ["a file that is gone", (directory) => rmSync(join(directory, "config.json")), /config\.json is missing$/],
  ["a file that was cut", (directory) => writeFileSync(join(directory, "model.safetensors"), "weigh"), /has 5 bytes, its manifest says 7$/],
  [
    "a file with another letter",
    (directory) => writeFileSync(join(directory, "model.safetensors"), "weightz"),
    /is damaged: its SHA-256 is not the manifest's$/,
  ],
  ["a file that was added", (directory) => writeFileSync(join(directory, "extra"), ""), /extra is not in the manifest$/],
  ["no manifest", (directory) => rmSync(join(directory, "MANIFEST.json")), /MANIFEST\.json is missing$/],
])("%s is one problem", (_, change, problem) => {
  const directory = model();
  change(directory);
  expect(verifyFiles(directory)).toEqual([expect.stringMatching(problem)]);
});

test.each<[string, unknown, RegExp]>([
  ["no JSON", "{", /MANIFEST\.json is damaged: /],
  ["a size that is none", { format: 1, files: { "config.json": { size: -1, sha256: "" } } }, /MANIFEST\.json is damaged: /],
  ["a newer format", { format: 2, files: {} }, /has format 2, this bh-bridge reads up to 1: install a newer one$/],
])("a manifest with %s is told", (_, manifest, problem) => {
  expect(verifyFiles(model(manifest))).toEqual([expect.stringMatching(problem)]);
});

test("a damaged manifest, or none, vouches for nothing", () => {
  expect(manifestSums(model("{")).size).toBe(0);
  expect(manifestSums(temporaryDirectory()).size).toBe(0);
});
