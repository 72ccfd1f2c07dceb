import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fileTail, lastLines } from "../../../src/python/failures.js";

const folder = mkdtempSync(join(tmpdir(), "file-tail-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("the end of a long file is read, and no more", () => {
  const path = join(folder, "log");
  writeFileSync(path, `${"x".repeat(200_000)}\nthe end\n`);
  const tail = fileTail(path);
  expect(tail).toHaveLength(65_536);
  expect(lastLines(tail, 1)).toEqual(["the end"]);
});

test("a short file is read whole, and one that is not there is empty", () => {
  const path = join(folder, "short");
  writeFileSync(path, "a\nb");
  expect(fileTail(path)).toBe("a\nb");
  expect(fileTail(join(folder, "none"))).toBe("");
});
