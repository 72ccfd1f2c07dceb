import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isThere, requireFolder, requireRegular } from "../../../src/runs/file-types.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-file-types-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
writeFileSync(at("file"), "x");
mkdirSync(at("folder"));
symlinkSync(at("file"), at("link"));
symlinkSync(at("folder"), at("link-to-folder"));
symlinkSync(at("nothing"), at("broken"));
symlinkSync(at("loop"), at("loop"));
execFileSync("mkfifo", [at("pipe")]);

test("regular files, links to them and missing files are accepted", () => {
  for (const name of ["file", "link", "missing"]) expect(() => requireRegular(at(name))).not.toThrow();
  for (const name of ["folder", "link-to-folder", "missing"]) expect(() => requireFolder(at(name))).not.toThrow();
});

test.each([
  ["folder", "a folder"],
  ["pipe", "a pipe"],
  ["broken", "a link that leads nowhere"],
  ["loop", "a link that cannot be followed (ELOOP)"],
])("%s in place of a file is refused by its kind", (name, kind) => {
  expect(() => requireRegular(at(name))).toThrow(expect.objectContaining({ code: "RUN_CORRUPT", message: `${at(name)} is ${kind}, where a run has a file` }));
});

test("a file in place of a folder is refused, and so is a socket", async () => {
  expect(() => requireFolder(at("file"))).toThrow(`${at("file")} is a file, where a run has a folder`);
  const server = createServer().listen(at("socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  expect(() => requireRegular(at("socket"))).toThrow(`${at("socket")} is a socket`);
  server.close();
});

test("a device is refused: it can block whoever opens it", () => {
  expect(() => requireRegular("/dev/null")).toThrow("/dev/null is a device, where a run has a file");
});

test("a broken link is there, and a path that cannot be looked up, so that opening it reports the reason; a missing path is not", () => {
  expect(isThere(at("broken"))).toBe(true);
  expect(isThere(at("missing"))).toBe(false);
  expect(isThere(join(at("file"), "below"))).toBe(true);
});
