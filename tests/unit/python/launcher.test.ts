import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { writeLauncher } from "../../../src/python/launcher.js";
import { packageRoot } from "../../../src/python/package-manifest.js";

const folder = mkdtempSync(join(tmpdir(), 'launcher it\'s "quoted" $HOME-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An interpreter that says how it was started, on stdout and stderr. */
function interpreter(): string {
  const path = join(folder, "fake python");
  writeFileSync(path, '#!/bin/sh\necho "$@"\necho "$PYTHONPATH" >&2\necho "$MALLOC_TRIM_THRESHOLD_"\ncat\n', { mode: 0o755 });
  return path;
}

function started(): string[] {
  const log = join(folder, "log");
  rmSync(log, { force: true });
  const launcher = writeLauncher(folder, { python: interpreter(), log });
  const input = join(folder, "input"); // a file, not a pipe, which nobody would read
  writeFileSync(input, "for stdin");
  const stdin = openSync(input, "r");
  try {
    expect(execFileSync(launcher, ["/pythonia's/a b", "$c"], { encoding: "utf8", stdio: [stdin, "pipe", "pipe"] })).toBe("");
  } finally {
    closeSync(stdin);
  }
  return readFileSync(log, "utf8").split("\n");
}

test("the interpreter gets its arguments and environment, no stdin, and its output goes to the log", () => {
  vi.stubEnv("PYTHONPATH", undefined);
  expect(started()).toEqual(["/pythonia's/a b $c", `${join(packageRoot, "python")}:/pythonia's`, "10000000000", ""]);
  vi.unstubAllEnvs();
});

test("the user's own PYTHONPATH comes after the package's and pythonia's, without its empty entries", () => {
  vi.stubEnv("PYTHONPATH", ":/theirs::");
  expect(started()[1]).toBe(`${join(packageRoot, "python")}:/pythonia's:/theirs`);
  vi.unstubAllEnvs();
});

test("only this user can read or run it", () => {
  const path = join(folder, "mode");
  mkdirSync(path);
  const launcher = writeLauncher(path, { python: "/bin/true", log: "/dev/null" });
  expect(statSync(launcher).mode & 0o777).toBe(0o700);
});
