import { type Command, CommanderError } from "commander";
import { nearestName } from "../config/config-invalid.js";
import { BhBridgeError, exitCodeOf, exitCodes } from "../errors.js";
import { writeError } from "../formats/durable-write.js";
import { createProgram } from "./program.js";
import { splitCommonOptions, withCommonOptions } from "./terminal/command.js";
import { errorDocument, FailedRun, progressModeOf, shownError } from "./terminal/shown-error.js";
import { Terminal } from "./terminal/terminal.js";

const prefix = "BH_BRIDGE_";

/** The environment variables of bh-bridge: the Python interpreter, and whether analyses use WebAssembly. */
const ownVariables: readonly string[] = ["BH_BRIDGE_PYTHON", "BH_BRIDGE_KERNELS"];

/** Warnings about unknown variables with our prefix. They are no errors, as a newer bh-bridge may know them. */
export function mistypedVariables(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !ownVariables.includes(name))
    .map((name) => {
      const rest = ownVariables.map((each) => each.slice(prefix.length));
      const near = nearestName(name.slice(prefix.length), rest);
      return `Warning: bh-bridge ignores the unknown variable ${name}. ${near === undefined ? `It knows ${ownVariables.join(" and ")}` : `Did you mean ${prefix}${near}?`}`;
    });
}

/** Whether an error only ends `--help`, `--version` or a command group without a subcommand, whose text has been printed. */
function isAnswer(error: unknown): boolean {
  return error instanceof CommanderError && (error.exitCode === 0 || error.code === "commander.help");
}

function report(error: BhBridgeError, next: string | undefined, argv: readonly string[]): void {
  const terminal = new Terminal({ json: argv.includes("--json"), color: !argv.includes("--no-color"), progress: progressModeOf(argv) });
  const { schema, ...failure } = errorDocument(error);
  terminal.document({ schema, ...failure });
  if (terminal.progress === "json") terminal.report({ type: "error", ...failure });
  else terminal.say(`${terminal.messageColor.red(error.code)}: ${error.message}`);
  if (argv.includes("--verbose") || process.env["DEBUG"] === "bh-bridge") terminal.say(fullError(error));
  if (next !== undefined) terminal.say(next);
}

/** A usage error. Commander reports a mistyped subcommand as excess arguments. */
function usageError(failure: CommanderError, program: Command, words: readonly string[]): BhBridgeError {
  let command = program;
  for (const word of words) command = command.commands.find((each) => each.name() === word) ?? command;
  const names = command.commands.map((each) => each.name()).filter((name) => name !== "help");
  const given = command.args.find((word) => !word.startsWith("-"));
  const isMistyped = failure.code === "commander.excessArguments" && given !== undefined && names.length > 0;
  const message = isMistyped ? unknownSubcommand(command, given, names) : failure.message.replace(/^error: /, "");
  return new BhBridgeError("USAGE", message, { cause: failure });
}

function unknownSubcommand(command: Command, given: string, names: readonly string[]): string {
  const near = nearestName(given, names);
  const hint = near === undefined ? `the subcommands are ${names.join(", ")}` : `did you mean "bh-bridge ${command.name()} ${near}"?`;
  return `${JSON.stringify(given)} is not a subcommand of ${command.name()}; ${hint}`;
}

/** Stack, causes and Python traceback of an error, for `--verbose`. */
function fullError(error: BhBridgeError): string {
  const parts: string[] = [];
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    parts.push(`${parts.length === 0 ? "" : "Caused by: "}${each.stack ?? each.message}`);
    if (each instanceof BhBridgeError && each.python) parts.push(each.python.traceback.trimEnd());
    if (each instanceof BhBridgeError && each.exit) parts.push(["Last lines of the process:", ...each.exit.lastLines].join("\n"));
  }
  return parts.join("\n");
}

function warn(argv: readonly string[]): void {
  const terminal = new Terminal({ quiet: argv.includes("--quiet") || argv.includes("-q"), color: false, progress: progressModeOf(argv) });
  if (terminal.progress === "json") speakInLines(terminal);
  for (const warning of mistypedVariables(process.env)) terminal.say(warning);
}

/** Write only JSON lines to stderr: Node's warnings become messages, and the last line reports the exit status. */
function speakInLines(terminal: Terminal): void {
  process.removeAllListeners("warning").on("warning", ({ name, message }) => terminal.say(`${name}: ${message}`));
  process.on("exit", (code) => {
    const exitCode = Number(process.exitCode ?? code);
    terminal.report({ type: "end", status: exitStatuses.find((status) => exitCodes[status] === exitCode) ?? "failed", exitCode });
  });
}

const exitStatuses = Object.keys(exitCodes) as (keyof typeof exitCodes)[];

/** Run the program with the arguments of this process. Errors are reported and set the exit code. */
export async function runProgram(): Promise<void> {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCodes.ok); // `bh-bridge presets | head`: the reader has all it needs
    const failure = writeError("standard output", error);
    new Terminal({ color: false, progress: progressModeOf(process.argv) }).say(`${failure.code}: ${failure.message}`);
    process.exit(exitCodeOf(failure));
  });
  process.stderr.on("error", () => undefined); // unreadable messages must not end a training
  warn(process.argv);
  const { common, rest } = splitCommonOptions(process.argv.slice(2));
  const program = await createProgram(rest[0]);
  const words = withCommonOptions(common, rest, program);
  try {
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    if (isAnswer(error)) {
      process.exitCode = exitCodes.ok;
      return;
    }
    const failure = error instanceof FailedRun ? error.cause : error;
    const shown = shownError(failure instanceof CommanderError ? usageError(failure, program, words) : failure);
    report(shown, error instanceof FailedRun ? error.next : undefined, process.argv);
    process.exitCode = exitCodeOf(shown);
  }
}
