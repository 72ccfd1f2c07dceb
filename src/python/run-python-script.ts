import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { execa } from "execa";
import { BhBridgeError } from "../errors.js";
import { lastLines } from "./last-lines.js";
import { packageRoot } from "./package-root.js";
import { pythonVariables, suspectVariables } from "./python-variables.js";

interface PythonScript {
  /** Path of a script under `python/bh_bridge`. */
  file: string;
  args?: readonly string[];
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** So many last lines of what a script said go into an error: the exception and where it was raised. */
const quotedLines = 5;

/**
 * Run a script of ours with an interpreter that may be anything, and read the JSON object that it prints in one line after the marker that it is given.
 *
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` when the path cannot be run, prints no such line or does not end in time; `ABORTED` by the signal, and by Ctrl-C.
 */
export async function runPythonScript(interpreter: string, { file, args = [], timeoutMs, signal }: PythonScript): Promise<unknown> {
  const marker = `bh-bridge-${randomUUID()}:`;
  const subprocess = execa(interpreter, [join(packageRoot, "python", "bh_bridge", file), marker, ...args], {
    reject: false,
    stdin: "ignore",
    env: pythonVariables(),
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    ...(signal && { cancelSignal: signal }),
  });
  subprocess.once("exit", (_code, killedBy) => {
    // A wrapper's own child can outlive it and hold the pipes open: once the wrapper is killed, nothing more is waited for.
    if (killedBy === "SIGKILL") for (const stream of [subprocess.stdout, subprocess.stderr]) stream.destroy();
  });
  const result = await subprocess;
  const line = result.stdout.split(/\r?\n/).find((each) => each.startsWith(`${marker}{`));
  if (line !== undefined) return JSON.parse(line.slice(marker.length));

  const { exitCode = null, signal: killedBy = null } = result;
  if (result.isCanceled || result.signal === "SIGINT") throw new BhBridgeError("ABORTED", `asking ${interpreter} was cancelled`, { cause: result });
  const said = lastLines(`${result.stdout}\n${result.stderr}`, quotedLines);
  let reason = `is not a working Python: it ended with ${killedBy ?? `exit code ${exitCode}`} and said: ${said.join(" / ") || "nothing"}`;
  if (result.timedOut) reason = `did not answer within ${timeoutMs / 1000} s, so it is not a usable Python`;
  else if (exitCode === null && killedBy === null) reason = `cannot be run: ${result.failed ? result.originalMessage : "it did not start"}`;
  throw new BhBridgeError(
    "PYTHON_NOT_FOUND",
    `${interpreter} ${reason}. Name another interpreter with python (--python on the command line)${suspectVariables()}`,
    {
      cause: result,
      exit: { exitCode, signal: killedBy, lastLines: said },
    },
  );
}
