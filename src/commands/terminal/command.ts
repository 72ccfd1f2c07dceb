import { Command, Option } from "commander";
import { z } from "zod";
import { runsFolder } from "../../runs/run-layout.js";
import { runnable } from "./invocation.js";

/** How progress goes to stderr: drawn on a terminal and in plain lines elsewhere, in plain lines, in lines of JSON, or not at all. */
const progressModes = ["auto", "plain", "json", "none"] as const;
export type ProgressMode = (typeof progressModes)[number];

/** What `--progress` of a command line says, before it is parsed, or where it cannot be. Imports nothing, as `shownError`. */
export function progressModeOf(argv: readonly string[]): ProgressMode {
  const given = argv.flatMap((word, at) => (word === "--progress" ? [argv[at + 1]] : word.startsWith("--progress=") ? [word.slice("--progress=".length)] : []));
  return progressModes.find((mode) => mode === given.at(-1)) ?? "auto";
}

export interface CommonOptions {
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  progress?: ProgressMode;
  color: boolean;
}

/** A command with what all commands share: `--json`, `--quiet`, `--verbose`, `--progress`, `--no-color`, and examples in its help. */
export function createCommand(name: string, summary: string, ...examples: [string, ...string[]]): Command {
  return new Command(name)
    .description(summary)
    .option("--json", "print one JSON document on stdout and nothing else there")
    .option("-q, --quiet", "print results and errors only")
    .option("--verbose", "with an error, its stack, causes and Python traceback")
    .addOption(
      new Option("--progress <how>", "progress on stderr (default: auto, a bar on a terminal); json writes events and messages as JSON lines").choices(
        progressModes,
      ),
    )
    .option("--no-color", "print without colour")
    .addHelpText("after", () => helpEnding(`Example:\n${examples.map((example) => `  $ ${example}`).join("\n")}`));
}

/** What a subcommand shares with all commands. Given before its name, it belongs to the command above, and means the same. */
export function commonOptions(command: Command): CommonOptions {
  const own = command.opts<CommonOptions>();
  const above = command.parent?.opts<CommonOptions>() ?? own;
  return { ...above, ...own, color: own.color && above.color };
}

/** The option that says where runs lie, or where one is made. */
export function outOption(): Option {
  return new Option("-o, --out <dir>", "folder that holds the runs").default(runsFolder);
}

/** Collect an option that may be repeated. */
export function repeated(text: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), text];
}

/** Text below a help page for people; a page for scripts (`--help --json`) has none. */
export function helpEnding(text: string): string {
  return process.argv.includes("--json") ? "" : `\n${runnable(text)}`;
}

/** Options that every command takes, with the number of words that follow each. */
const commonWords: Readonly<Record<string, number>> = { "--json": 0, "-q": 0, "--quiet": 0, "--verbose": 0, "--no-color": 0, "--progress": 1 };

/** Arguments of the program, apart: common options before the name of the command, and the words from that name on. */
export function splitCommonOptions(words: readonly string[]): { common: string[]; rest: string[] } {
  let start = 0;
  for (let word = words[start]; word !== undefined; word = words[start]) {
    if (word.startsWith("--progress=")) start += 1;
    else if (Object.hasOwn(commonWords, word)) start += 1 + (commonWords[word] ?? 0);
    else break;
  }
  return { common: words.slice(0, start), rest: words.slice(start) };
}

/** Arguments with the common options behind the names of the command: `bh-bridge --json sweep status DIR` is `bh-bridge sweep status --json DIR`. */
export function withCommonOptions(common: readonly string[], rest: readonly string[], program: Command): string[] {
  let depth = 0;
  for (let command = program.commands.find((each) => each.name() === rest[0]); command; depth++) {
    command = command.commands.find((each) => each.name() === rest[depth + 1]);
  }
  const isPage = depth === 0 && rest.length > 0; // --help and --version have no command
  return isPage ? [...rest, ...common] : rest.length === 0 ? [] : [...rest.slice(0, depth), ...common, ...rest.slice(depth)];
}

const optionSchema = z.strictObject({ flags: z.string(), description: z.string(), default: z.json().optional() });
const argumentSchema = z.strictObject({ name: z.string(), description: z.string(), required: z.boolean(), variadic: z.boolean() });

/** What a command takes, for scripts and agents: the document of `--help --json`. */
export const helpDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/help@1"),
  command: z.string(),
  description: z.string(),
  usage: z.string(),
  arguments: z.array(argumentSchema),
  options: z.array(optionSchema),
  commands: z.array(z.strictObject({ name: z.string(), description: z.string() })),
});
export type HelpDocument = z.output<typeof helpDocumentSchema>;

function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}

/** Describe a command. */
export function helpDocument(command: Command): HelpDocument {
  const help = command.createHelp();
  return {
    schema: "bh-bridge/help@1",
    command: fullName(command),
    description: command.description(),
    usage: help.commandUsage(command),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: argument.description,
      required: argument.required,
      variadic: argument.variadic,
    })),
    options: help
      .visibleOptions(command)
      .map(({ flags, description, defaultValue }) => ({ flags, description, ...(defaultValue !== undefined && { default: defaultValue }) })),
    commands: help.visibleCommands(command).map((below) => ({ name: below.name(), description: below.description() })),
  };
}
