import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll } from "vitest";

const candidates = [process.env["BH_BRIDGE_PYTHON"], resolve(".venv/bin/python")].filter((path) => path !== undefined);

/** The interpreter that has torch, safetensors, numpy and h5py: the libraries whose files are read here. */
export const python = candidates.find((path) => existsSync(path)) ?? "python3";

/** Run a Python program in the real interpreter; what it prints is the expected value, as JSON. */
export function expectedFrom<Expected>(program: string, ...args: string[]): Expected {
  return JSON.parse(execFileSync(python, ["-c", program, ...args], { encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "pipe"] }));
}

/** A directory that is removed after the tests of the calling file. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "bh-bridge-formats-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
