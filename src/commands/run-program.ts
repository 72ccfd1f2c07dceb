import { CommanderError } from "commander";
import { BhBridgeError, exitCodeOf, exitCodes } from "../errors.js";
import { createProgram } from "./program.js";
import { errorDocument } from "./terminal/error-document.js";
import { FailedRun } from "./terminal/failed-run.js";
import { mistypedVariables } from "./terminal/own-variables.js";
import { progressModeOf } from "./terminal/progress-mode.js";
import { shownError } from "./terminal/shown-error.js";
import { Terminal } from "./terminal/terminal.js";

/** `--help`, `--version`, and a command that was not told what to do: what was asked for has been printed. */
function isAnswer(error: unknown): boolean {
  return error instanceof CommanderError && (error.exitCode === 0 || error.code === "commander.help");
}

function report(error: BhBridgeError, next: string | undefined, argv: readonly string[]): void {
  const terminal = new Terminal({ json: argv.includes("--json"), color: !argv.includes("--no-color"), progress: progressModeOf(argv) });
  const { schema, ...failure } = errorDocument(error);
  terminal.document({ schema, ...failure });
  if (terminal.progress === "json") terminal.report({ type: "error", ...failure });
  else terminal.say(`${terminal.messageColor.red(error.code)}: ${error.message}`);
  if (process.env["DEBUG"] === "bh-bridge") terminal.say(`${error.cause instanceof Error ? error.cause.stack : error.stack}`);
  if (next !== undefined) terminal.say(next);
}

function warn(argv: readonly string[]): void {
  const terminal = new Terminal({ quiet: argv.includes("--quiet") || argv.includes("-q"), color: false, progress: progressModeOf(argv) });
  if (terminal.progress === "json") speakInLines(terminal);
  for (const warning of mistypedVariables(process.env)) terminal.say(warning);
}

/** Nothing but lines of JSON goes to stderr: Node's own warnings become messages, and the last line says how it ended. */
function speakInLines(terminal: Terminal): void {
  process.removeAllListeners("warning").on("warning", ({ name, message }) => terminal.say(`${name}: ${message}`));
  process.on("exit", (code) => {
    const exitCode = Number(process.exitCode ?? code);
    terminal.report({ type: "end", status: exitStatuses.find((status) => exitCodes[status] === exitCode) ?? "failed", exitCode });
  });
}

const exitStatuses = Object.keys(exitCodes) as (keyof typeof exitCodes)[];

/** Run the program with this process's arguments; what goes wrong is reported, and is the exit code. */
export async function runProgram(): Promise<void> {
  // `bh-bridge presets | head`: the reader has what it wanted. Anything else that stdout says is a failure like any other.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(exitCodes.ok);
  });
  // Messages that nobody reads are no reason to end a training.
  process.stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  warn(process.argv);
  try {
    await (await createProgram(process.argv[2])).parseAsync();
  } catch (error) {
    if (isAnswer(error)) process.exitCode = exitCodes.ok;
    else {
      const failure = error instanceof FailedRun ? error.cause : error;
      const usage = failure instanceof CommanderError ? new BhBridgeError("USAGE", failure.message.replace(/^error: /, ""), { cause: failure }) : failure;
      const shown = shownError(usage);
      report(shown, error instanceof FailedRun ? error.next : undefined, process.argv);
      process.exitCode = exitCodeOf(shown);
    }
  }
}
