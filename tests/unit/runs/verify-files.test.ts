import { createHash } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { manifestSums, verifyFiles } from "../../../src/runs/verify-files.js";
import { temporaryDirectory } from "../formats/reference-python.js";

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
