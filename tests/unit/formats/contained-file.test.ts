import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { containedFile } from "../../../src/formats/file-bytes.js";
import { temporaryFolder } from "../../e2e/program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const model = join(folder.path, "models--x", "snapshots", "abc");
const blobs = join(folder.path, "models--x", "blobs");
const outside = join(folder.path, "outside");
for (const directory of [model, blobs, outside]) mkdirSync(directory, { recursive: true });
for (const path of [join(model, "a.safetensors"), join(blobs, "b1"), join(outside, "secret")]) writeFileSync(path, "");
symlinkSync(join("..", "..", "blobs", "b1"), join(model, "cached.bin"));
symlinkSync(join(outside, "secret"), join(model, "leak.bin"));
symlinkSync(model, join(folder.path, "linked"));

test("a file of the directory is found, through a link to the directory too", () => {
  expect(containedFile(model, "a.safetensors")).toBe(join(model, "a.safetensors"));
  expect(containedFile(join(folder.path, "linked"), "a.safetensors")).toBe(join(folder.path, "linked", "a.safetensors"));
});

test("a link into the blobs of the Hugging Face cache is followed, one that leads elsewhere is not", () => {
  expect(containedFile(model, "cached.bin")).toBe(join(model, "cached.bin"));
  expect(() => containedFile(model, "leak.bin")).toThrow(
    expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringContaining("leads out of its directory") }),
  );
});

test.each(["../outside/secret", "/etc/passwd", "..", ".", "", "a/b", "a\\b", "C:x", "a\nb", "x".repeat(256)])("%j is no plain name", (name) => {
  expect(() => containedFile(model, name)).toThrow(expect.objectContaining({ code: "FORMAT_INVALID" }));
});

test("a file that is not there is said to be missing", () => {
  expect(() => containedFile(model, "missing.bin")).toThrow(expect.objectContaining({ code: "FILE_NOT_FOUND" }));
});
