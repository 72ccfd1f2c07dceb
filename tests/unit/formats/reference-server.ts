import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestProject } from "vitest/node";
import { realPython } from "../../bridge/real-python.js";

declare module "vitest" {
  export interface ProvidedContext {
    /** The named pipe to the server of reference programs. */
    referencePrograms: string;
  }
}

/** Start, once for all test files, the Python that computes expected values; it imports its libraries when the first program comes. */
export function setup({ provide }: TestProject): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bh-bridge-reference-"));
  const pipe = join(folder, "programs");
  execFileSync("mkfifo", [pipe]);
  openSync(pipe, "r+"); // the pipe ends with this process, not with whoever asks
  const server = spawn(realPython, [resolve("tests/unit/formats/reference_server.py")], {
    stdio: [openSync(pipe, "r"), "inherit", "inherit"],
    env: { ...process.env, OMP_NUM_THREADS: "1" },
  });
  provide("referencePrograms", pipe);
  return async () => {
    server.kill();
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
    rmSync(folder, { recursive: true, force: true });
  };
}
