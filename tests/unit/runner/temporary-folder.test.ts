import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../src/runner/temporary-folder.js";

test("it goes with all that is in it", () => {
  let path = "";
  {
    using folder = temporaryFolder("test");
    path = folder.path;
    writeFileSync(join(path, "file"), "text");
    expect(existsSync(path)).toBe(true);
  }
  expect(existsSync(path)).toBe(false);
});

test("a TMPDIR that is not there is passed over for the system's own folders", () => {
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = "/nonexistent";
  try {
    using folder = temporaryFolder("test");
    expect(folder.path).toMatch(/^\/(?:var\/)?tmp\/bh-bridge-test-/);
    expect(existsSync(folder.path)).toBe(true);
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
});
