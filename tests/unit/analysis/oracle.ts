import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const program = fileURLToPath(new URL("./oracle.py", import.meta.url));
const candidates = [process.env["BH_BRIDGE_PYTHON"], resolve(".venv/bin/python")].filter((path) => path !== undefined);
const python = candidates.find((path) => existsSync(path)) ?? "python3";

/** Cases that Python made, and what it expects of them. */
export interface OracleCases<Expected> {
  readonly cases: readonly Expected[];
  /** The file of a case. */
  file(index: number): string;
}

/** Let Python make cases in a directory that is removed after the tests of the calling file. */
export function oracleCases<Expected>(kind: "histories" | "displacements" | "masses", seed: number, count: number): OracleCases<Expected> {
  const directory = mkdtempSync(join(tmpdir(), "bh-bridge-oracle-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const output = execFileSync(python, [program, kind, directory, String(seed), String(count)], {
    encoding: "utf8",
    maxBuffer: 2 ** 30,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { cases: JSON.parse(output) as Expected[], file: (index) => join(directory, `${index}.safetensors`) };
}
