import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { exitCodes } from "../../src/index.js";
import { temporaryDirectory } from "../unit/formats/reference-python.js";
import { projectRoot, python } from "./program.js";

const cli = ["dist/cli.js"];
const has = (device: string) => existsSync(device);

test.runIf(has("/dev/full"))("a standard output that cannot be written is a typed error; a standard error is no reason to fail", () => {
  const full = spawnSync("bash", ["-c", `exec node ${cli.join(" ")} presets > /dev/full`], { encoding: "utf8", timeout: 60_000 });
  expect(full.stderr).toMatch(/^DISK_FULL: cannot write standard output: the disk is full/);
  expect(full.stderr).not.toMatch(/^\s+at /m);
  expect(full.status).toBe(exitCodes.failed);
  const silent = spawnSync("bash", ["-c", `exec node ${cli.join(" ")} presets 2> /dev/full`], { encoding: "utf8", timeout: 60_000 });
  expect(silent.status).toBe(exitCodes.ok);
  expect(silent.stdout).toContain("quick");
});

test.each([20, 24, 40])("with %i open files allowed, a command says how to allow more", (limit) => {
  const { stderr, status } = spawnSync("bash", ["-c", `ulimit -n ${limit}; exec node ${cli.join(" ")} runs --out ${temporaryDirectory()}`], {
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(stderr).not.toMatch(/^\s+at /m);
  expect([exitCodes.ok, exitCodes.failed]).toContain(status);
  if (status !== exitCodes.ok) expect(stderr).toMatch(/ulimit -n/);
});

test.each([
  ["xterm", true],
  ["dumb", false],
])("on a terminal of kind %s, escape sequences are printed: %s", (TERM, isColored) => {
  const script = `${projectRoot}tests/e2e/terminal_of_width.py`;
  const { stdout } = spawnSync(python, [script, "80", process.execPath, ...cli, "doctor"], {
    encoding: "utf8",
    timeout: 100_000,
    env: { ...process.env, TERM, CI: "", NO_COLOR: "", BH_BRIDGE_PYTHON: python },
  });
  expect(stdout).toMatch(/Node/i);
  expect(stdout.includes("\u001b")).toBe(isColored);
});
