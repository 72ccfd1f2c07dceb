import { mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fileIdentity } from "../../../src/serve/lock-watch.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-identity-"));
const path = join(folder, "run.json");
afterAll(() => rmSync(folder, { recursive: true }));

test("a file that lies still is the same, and one that is not there has no identity", () => {
  expect(fileIdentity(path)).toBe("");
  writeFileSync(path, "one");
  expect(fileIdentity(path)).toBe(fileIdentity(path));
  expect(fileIdentity(path)).not.toBe("");
});

test("a file of the same length and time that took its place is another", () => {
  writeFileSync(path, "one");
  const { atime, mtime } = statSync(path);
  const before = fileIdentity(path);
  writeFileSync(`${path}.new`, "two");
  utimesSync(`${path}.new`, atime, mtime);
  renameSync(`${path}.new`, path);
  expect(fileIdentity(path)).not.toBe(before);
});

test("a file that is written over is another", () => {
  writeFileSync(path, "one");
  const before = fileIdentity(path);
  writeFileSync(path, "three");
  expect(fileIdentity(path)).not.toBe(before);
});
