import { createHash } from "node:crypto";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { contentHash, SentFiles } from "../../../../src/sweep/pool/sent-files.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** A saved model of two files, one of them in a folder. */
function model(): string {
  const path = join(temporaryDirectory(), "saved");
  mkdirSync(join(path, "sub"), { recursive: true });
  writeFileSync(join(path, "config.json"), "{}");
  writeFileSync(join(path, "sub", "part"), "abc");
  return path;
}

test("the hash of a directory is of its names and contents, wherever it lies, and follows links", () => {
  const path = model();
  expect(contentHash(path)).toBe(sha256(`${sha256("{}")}  config.json\n${sha256("abc")}  sub/part\n`));
  const linked = join(temporaryDirectory(), "linked");
  mkdirSync(linked);
  symlinkSync(join(path, "config.json"), join(linked, "config.json"));
  expect(contentHash(linked)).toBe(sha256(`${sha256("{}")}  config.json\n`));
});

test("what was sent is found where it was sent to, and only as it was sent", () => {
  const path = model();
  const folder = temporaryDirectory();
  const files = { [path]: { name: "files/1", sha256: contentHash(path) } };
  cpSync(path, join(folder, "files/1", basename(path)), { recursive: true });
  const here = join(folder, "files/1", basename(path));
  expect(new SentFiles({ folder, files }).here(path)).toBe(here);
  expect(new SentFiles({ folder, files }).corpus("ab")).toBe(join(folder, "corpora", "ab"));
  writeFileSync(join(here, "sub", "part"), "abd");
  expect(() => new SentFiles({ folder, files }).here(path)).toThrow(expect.objectContaining({ code: "IO_FAILED", message: expect.stringContaining(path) }));
});

test("what could not travel is read where it is, or named with the reason", () => {
  const [there, gone] = [model(), "/no/such/model"];
  const files = new SentFiles({ folder: "/", files: { [there]: { whyNot: "it has 900 MiB" }, [gone]: { whyNot: "it has 900 MiB" } } });
  expect(files.here(there)).toBe(there);
  expect(() => files.here(gone)).toThrow(
    expect.objectContaining({ code: "FILE_NOT_FOUND", message: expect.stringMatching(/such\/model .*it has 900 MiB.*all nodes see/) }),
  );
  expect(new SentFiles(undefined).here(gone)).toBe(gone);
  expect(new SentFiles(undefined).corpus("ab")).toBeUndefined();
});
