import { cpSync, existsSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectRoot, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

/** A checkout that has no environment yet. */
const checkout = join(folder.path, "checkout");
beforeAll(() => {
  for (const part of ["dist", "python", "package.json", "pyproject.toml"]) cpSync(join(projectRoot, part), join(checkout, part), { recursive: true });
  symlinkSync(join(projectRoot, "node_modules"), join(checkout, "node_modules"));
  // A Python without packages is the only one in reach.
  return execa("python3", ["-m", "venv", "--without-pip", join(folder.path, "bare")]);
});

const train = [process.execPath, join(checkout, "dist", "cli.js"), "train", "--steps", "5", "--out", join(folder.path, "runs")];
const options = () => ({
  reject: false,
  extendEnv: false,
  cwd: folder.path,
  env: { PATH: `${join(folder.path, "bare", "bin")}:/usr/bin:/bin`, HOME: folder.path, TERM: "xterm" },
});

/** Neither an environment nor a run has been made. */
const nothingWasMade = () => !existsSync(join(checkout, ".venv")) && readdirSync(folder.path).sort().join() === "bare,checkout";

test("a script is told what to run, and nothing is installed", async () => {
  const { exitCode, stderr } = await execa("/usr/bin/env", train, { ...options(), stdin: "ignore" });
  expect(exitCode).toBe(3);
  expect(stderr).toMatch(
    /^PYTHON_DEPENDENCY_MISSING: torch, .* are not installed in .*bare\/bin\/python3 \(Python .*\)\. Run "node \S+cli\.js setup", or install them there with: /,
  );
  expect(nothingWasMade()).toBe(true);
});

test("somebody at a terminal is asked, and a no installs nothing", async () => {
  const answered = [join(import.meta.dirname, "answer_prompt.py"), 'Run "bh-bridge setup" now?', "n", ...train];
  const { exitCode, stdout } = await execa("python3", answered, { ...options(), stdin: "ignore" });
  expect(stdout).toContain("PYTHON_DEPENDENCY_MISSING");
  expect(exitCode).toBe(3);
  expect(nothingWasMade()).toBe(true);
});
