import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { allocator } from "../../src/python/launcher.js";
import { pythonVariables } from "../../src/python/python-variables.js";
import { realPython } from "../bridge/real-python.js";

/** What the launcher and `hello` set before PyTorch is imported; one thread, as vitest.config.ts has it. */
const asStarted = {
  OMP_NUM_THREADS: "1",
  ...allocator,
  HF_HUB_OFFLINE: "1",
  TRANSFORMERS_OFFLINE: "1",
  HF_HUB_DISABLE_TELEMETRY: "1",
  DO_NOT_TRACK: "1",
  TOKENIZERS_PARALLELISM: "false",
};

/** Scripts of bh_bridge that import PyTorch or transformers. */
const scripts = ["doctor.py", "draw_states.py", "read_model.py"];

/**
 * Start, once for all test files, a Python that has imported PyTorch, and write the program that stands for the interpreter: pythonia's own program and the
 * scripts that import PyTorch are forked from it, all else is run by the interpreter itself, as is whatever looks for its packages elsewhere or limits its
 * memory.
 */
export function setup(): (() => Promise<void>) | undefined {
  if (process.env["WARM_PYTHON_OF_TESTS"] !== undefined) return undefined; // that of a test which runs tests
  const folder = mkdtempSync(join(tmpdir(), "bh-bridge-warm-"));
  const [socket, program] = [join(folder, "socket"), join(folder, "python")];
  const server = spawn(realPython, [resolve("tests/warm/warm_server.py"), socket], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...pythonVariables(), ...asStarted },
  });
  writeFileSync(
    program,
    `#!/bin/sh
fork() { exec '${realPython}' -I -S '${resolve("tests/warm/warm_client.py")}' '${socket}' "$@"; }
case "$1" in
  */pythonia/src/pythonia/interface.py)
    if [ "$PYTHONPATH" = '${resolve("python")}':"\${1%/*}" ]; then fork "$@"; fi ;;
  ${scripts.map((name) => `'${resolve("python/bh_bridge/scripts", name)}'`).join(" | ")})
    if [ "$PYTHONPATH:$OMP_NUM_THREADS" = :1 ]; then fork "$@"; fi ;;
esac
exec '${realPython}' "$@"
`,
  );
  chmodSync(program, 0o700);
  process.env["WARM_PYTHON_OF_TESTS"] = program; // the workers of vitest inherit it
  return async () => {
    server.kill();
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
    rmSync(folder, { recursive: true, force: true });
  };
}
