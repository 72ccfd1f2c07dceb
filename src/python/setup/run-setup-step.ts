import { execa } from "execa";
import { BhBridgeError } from "../../errors.js";
import { lastLines } from "../last-lines.js";
import { pythonVariables } from "../python-variables.js";
import { describePipLine, type PipStep } from "./describe-pip-line.js";
import { explainSetupFailure } from "./explain-setup-failure.js";

/** So many last lines of pip go into an error: its ERROR lines and what led to them. */
const quotedLines = 12;

/** pip as a program for a program: no questions, no advice, and no other place to install to, which a configuration may name. */
const pipEnvironment = {
  PIP_NO_INPUT: "1",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  PIP_USER: "0",
  PIP_TARGET: undefined,
  PIP_PREFIX: undefined,
  PIP_ROOT: undefined,
};

/**
 * Run one step of the set-up with an interpreter, telling what pip is at.
 *
 * @throws {BhBridgeError} `SETUP_FAILED` with the last lines of its output and what to do; `ABORTED` by the signal.
 */
export async function runSetupStep(
  interpreter: string,
  args: readonly string[],
  { signal, onStep }: { signal?: AbortSignal | undefined; onStep?: ((step: PipStep) => void) | undefined },
): Promise<void> {
  const watch = function* (line: unknown) {
    const step = describePipLine(String(line));
    if (step) onStep?.(step);
    yield line;
  };
  const result = await execa(interpreter, args, {
    reject: false,
    all: true,
    stdin: "ignore",
    stdout: watch,
    env: { ...pythonVariables(), ...pipEnvironment },
    ...(signal && { cancelSignal: signal }),
  });
  if (!result.failed) return;
  if (result.isCanceled || result.signal === "SIGINT")
    throw new BhBridgeError("ABORTED", "the set-up was stopped. Run the same command again to continue", { cause: result });
  const { exitCode = null, signal: killedBy = null } = result;
  const said = lastLines(result.all, quotedLines);
  const command = args.slice(0, 3).join(" ");
  throw new BhBridgeError(
    "SETUP_FAILED",
    [
      `"${interpreter} ${command}" ended with ${killedBy ?? `exit code ${exitCode}`}:`,
      ...said.map((line) => `  ${line}`),
      explainSetupFailure(result.all),
    ].join("\n"),
    {
      cause: result,
      exit: { exitCode, signal: killedBy, lastLines: said },
    },
  );
}
