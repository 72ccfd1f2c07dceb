import { execFileSync } from "node:child_process";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { FileBytes, isDirectory } from "../../../src/formats/file-bytes.js";
import { temporaryFolder } from "../../e2e/program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const path = join(folder.path, "bytes");
writeFileSync(path, Uint8Array.of(1, 2, 3, 4, 5));

test("bytes are read at an offset, into memory of their own or of the caller", () => {
  const file = new FileBytes(path);
  expect(file.size).toBe(5);
  expect([...file.read(1, 3, "x")]).toEqual([2, 3, 4]);
  const target = new Uint8Array(2);
  file.readInto(3, target, "x");
  expect([...target]).toEqual([4, 5]);
  expect(file.read(5, 0, "nothing")).toHaveLength(0);
  file.close();
  file.close();
});

test.each([
  [0, 6],
  [5, 1],
  [-1, 1],
  [0, -1],
  [0.5, 1],
  [Number.NaN, 1],
  [2 ** 53, 1],
  [0, 2 ** 60],
])("%d + %d bytes are not all in the file, and no memory is taken for them", (offset, length) => {
  const file = new FileBytes(path);
  expect(() => file.read(offset, length, "the header")).toThrow(
    expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringContaining("the header would take") }),
  );
  file.close();
});

test("a file that shrinks while it is read ends early", () => {
  const shrinking = join(folder.path, "shrinking");
  writeFileSync(shrinking, new Uint8Array(100));
  const file = new FileBytes(shrinking);
  truncateSync(shrinking, 10);
  expect(() => file.read(0, 100, "a tensor")).toThrow("the file ends inside a tensor");
  file.close();
});

test("a closed file, a directory, a pipe and a missing file say what they are", () => {
  const file = new FileBytes(path);
  file.close();
  expect(() => file.read(0, 1, "x")).toThrow("has been closed");
  expect(() => new FileBytes(folder.path)).toThrow(expect.objectContaining({ code: "FILE_UNREADABLE", message: `${folder.path} is not a regular file` }));
  const pipe = join(folder.path, "pipe");
  execFileSync("mkfifo", [pipe]);
  expect(() => new FileBytes(pipe)).toThrow("is not a regular file");
  expect(() => new FileBytes(join(folder.path, "missing"))).toThrow(expect.objectContaining({ code: "FILE_NOT_FOUND" }));
  expect(() => new FileBytes(join(path, "below"))).toThrow("a part of its path is a file");
  expect([isDirectory(folder.path), isDirectory(path)]).toEqual([true, false]);
});
