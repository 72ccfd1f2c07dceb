import { type Argument, Command, CommanderError } from "commander";
import { nearestName } from "../config/config-invalid.js";
import { BhBridgeError, exitCodeOf, exitCodes } from "../errors.js";
import { writeError } from "../formats/durable-write.js";
import { packageManifest } from "../python/package-manifest.js";
import { wrap } from "../text/wrap.js";
import { helpDocument, helpEnding, splitCommonOptions, withCommonOptions } from "./terminal/command.js";
import { errorDocument, FailedRun, progressModeOf, shownError } from "./terminal/shown-error.js";
import { Terminal } from "./terminal/terminal.js";

/** Commands in the order of the help page. Each is loaded on demand. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  train: async () => (await import("./train/train.js")).trainCommand(),
  resume: async () => (await import("./resume.js")).resumeCommand(),
  experiment: async () => (await import("./experiment/experiment.js")).experimentCommand(),
  sweep: async () => (await import("./sweep/sweep.js")).sweepCommand(),
  judge: async () => (await import("./judge.js")).judgeCommand(),
  runs: async () => (await import("./runs/runs.js")).runsCommand(),
  serve: async () => (await import("./serve/serve.js")).serveCommand(),
  mcp: async () => (await import("./serve/serve.js")).mcpCommand(),
  compare: async () => (await import("./compare/compare.js")).compareCommand(),
  reproduce: async () => (await import("./reproduce/reproduce.js")).reproduceCommand(),
  rerecord: async () => (await import("./rerecord.js")).rerecordCommand(),
  simulate: async () => (await import("./simulate.js")).simulateCommand(),
  analyze: async () => (await import("./analyze.js")).analyzeCommand(),
  census: async () => (await import("./census.js")).censusCommand(),
  tokens: async () => (await import("./tokens.js")).tokensCommand(),
  inspect: async () => (await import("./inspect/inspect.js")).inspectCommand(),
  audit: async () => (await import("./audit.js")).auditCommand(),
  generate: async () => (await import("./generate.js")).generateCommand(),
  export: async () => (await import("./export.js")).exportCommand(),
  report: async () => (await import("./report.js")).reportCommand(),
  tokenizer: async () => (await import("./tokenizer.js")).tokenizerCommand(),
  presets: async () => (await import("./presets.js")).presetsCommand(),
  config: async () => (await import("./config/config.js")).configCommand(),
  setup: async () => (await import("./setup/setup.js")).setupCommand(),
  doctor: async () => (await import("./doctor/doctor.js")).doctorCommand(),
  completion: async () => (await import("./shell/completion.js")).completionCommand(),
};

/**
 * Create the program. Errors are thrown, never printed or exited on.
 * @param name the command that will run, which alone is loaded; an unknown or missing name loads all commands, `--version` none.
 */
export async function createProgram(name?: string): Promise<Command> {
  const program = new Command("bh-bridge")
    .description("Train, record and analyse small language models, and track their equal embedding rows.")
    .helpOption("-h, --help", "display help")
    .helpCommand("help [command]", "display help for a command")
    .version(packageManifest().version)
    .enablePositionalOptions() // sweep and its subcommands both have -o: a command reads the options behind its own name
    .addHelpText("after", () => helpEnding("Start with:\n  $ bh-bridge doctor\n  $ bh-bridge train --preset quick"));
  const load = commands[name ?? ""];
  const wanted = name === "--version" ? [] : load ? [load] : Object.values(commands);
  for (const loaded of wanted) program.addCommand(await loaded());
  return throwErrors(program);
}

const wideTerminal = 80;
const narrowestDescription = 40;
/** Columns before a term, plus those between it and its description. */
const itemMargin = 4;

function argumentTerm(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

/** Make a command and its subcommands throw where commander would write an error and exit. Help goes to stdout, under `--json` as a document. */
function throwErrors(command: Command): Command {
  const { formatHelp, formatItem } = command.createHelp();
  command
    .exitOverride()
    .configureOutput({ outputError: () => undefined, writeErr: (help) => process.stdout.write(help) })
    .configureHelp({
      formatHelp: (shown, help) => (process.argv.includes("--json") ? `${JSON.stringify(helpDocument(shown))}\n` : formatHelp.call(help, shown, help)),
      subcommandTerm: (below) => [below.name(), ...below.registeredArguments.map(argumentTerm)].join(" "),
      // Commander does not wrap narrow columns, so the description goes below its term.
      formatItem: (term, termWidth, description, help) => {
        const width = help.helpWidth ?? wideTerminal;
        const isNarrow = width < wideTerminal || width - termWidth - itemMargin < narrowestDescription;
        return isNarrow && description !== "" ? `  ${term}\n${wrap(`      ${description}`, width)}` : formatItem.call(help, term, termWidth, description, help);
      },
    });
  command.commands.forEach(throwErrors);
  return command;
}

const prefix = "BH_BRIDGE_";

/** The environment variables of bh-bridge: the Python interpreter, whether analyses use WebAssembly, and the build of engine `portable`. */
const ownVariables: readonly string[] = ["BH_BRIDGE_PYTHON", "BH_BRIDGE_KERNELS", "BH_BRIDGE_PORTABLE"];

/** Warnings about unknown variables with our prefix. They are no errors, as a newer bh-bridge may know them. */
export function mistypedVariables(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !ownVariables.includes(name))
    .map((name) => {
      const rest = ownVariables.map((each) => each.slice(prefix.length));
      const near = nearestName(name.slice(prefix.length), rest);
      return `Warning: bh-bridge ignores the unknown variable ${name}. ${near === undefined ? `It knows ${ownVariables.slice(0, -1).join(", ")} and ${ownVariables.at(-1)}` : `Did you mean ${prefix}${near}?`}`;
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
