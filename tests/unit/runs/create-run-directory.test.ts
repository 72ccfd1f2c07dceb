import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createRunDirectory } from "../../../src/runs/create-run-directory.js";
import { temporaryFolder } from "../../e2e/program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

test("a run directory appears with all its files, and never in place of another", () => {
  const out = join(folder.path, "create");
  const first = createRunDirectory(out, "Größe 1", "0123456789abcdef", { "a.json": "{}", "b.json": "{}" });
  const second = createRunDirectory(out, "Größe 1", "0123456789abcdef", { "a.json": "{}" });
  expect(readdirSync(first)).toEqual(["a.json", "b.json"]);
  expect(second).not.toBe(first);
  expect(readdirSync(out).filter((name) => name.startsWith("."))).toEqual([]);
});

test("a folder that may not be written to is named with the reason", () => {
  writeFileSync(join(folder.path, "file"), "");
  expect(() => createRunDirectory(join(folder.path, "file", "runs"), "x", "0123456789abcdef", { a: "" })).toThrow(
    expect.objectContaining({ code: "FILE_UNWRITABLE", message: expect.stringContaining("a part of the path is a file") }),
  );
});

test("a run is made with all folders above it; below a file, and where no folder can be made, it is refused", () => {
  const make = (out: string) => createRunDirectory(out, "name", "0123456789abcdef", { "run.json": "{}" });
  expect(readdirSync(make(join(folder.path, "new", "folders")))).toEqual(["run.json"]);
  const file = join(folder.path, "another-file");
  writeFileSync(file, "");
  expect(() => make(join(file, "runs"))).toThrow(`cannot write ${join(file, "runs")}: a part of the path is a file`);
  if (process.platform === "linux") expect(() => make("/proc/runs")).toThrow("cannot write /proc/runs");
});
