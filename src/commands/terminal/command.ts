import { Command, Option } from "commander";
import { z } from "zod";
import { runsFolder } from "../../runs/run-layout.js";
import { runnable } from "./invocation.js";
import { type ProgressMode, progressModes } from "./shown-error.js";

export interface CommonOptions {
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  progress?: ProgressMode;
  color: boolean;
}

/** Create a command with the options that all commands share, and examples in its help. */
export function createCommand(name: string, summary: string, ...examples: [string, ...string[]]): Command {
  return new Command(name)
    .description(summary)
    .option("--json", "print one JSON document on stdout and nothing else")
    .option("-q, --quiet", "print results and errors only")
    .option("--verbose", "print stack, causes and Python traceback of an error")
    .addOption(
      new Option("--progress <how>", "progress on stderr (default: auto, a bar on a terminal); json prints events as JSON lines").choices(progressModes),
    )
    .option("--no-color", "disable colour")
    .addHelpText("after", () => helpEnding(`Example:\n${examples.map((example) => `  $ ${example}`).join("\n")}`));
}

/** The shared options of a subcommand, including those before its name, which commander assigns to the parent command. */
export function commonOptions(command: Command): CommonOptions {
  const own = command.opts<CommonOptions>();
  const above = command.parent?.opts<CommonOptions>() ?? own;
  return { ...above, ...own, color: own.color && above.color };
}

export function outOption(): Option {
  return new Option("-o, --out <dir>", "folder that holds the runs").default(runsFolder);
}

/** Parser of an option that may be repeated. */
export function repeated(text: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), text];
}

/** Text below a help page; empty for `--help --json`. */
export function helpEnding(text: string): string {
  return process.argv.includes("--json") ? "" : `\n${runnable(text)}`;
}

/** The shared options with their number of arguments. */
const commonWords: Readonly<Record<string, number>> = { "--json": 0, "-q": 0, "--quiet": 0, "--verbose": 0, "--no-color": 0, "--progress": 1 };

/** Split the arguments into common options before the command's name and the words from that name on. */
export function splitCommonOptions(words: readonly string[]): { common: string[]; rest: string[] } {
  let start = 0;
  for (let word = words[start]; word !== undefined; word = words[start]) {
    if (word.startsWith("--progress=")) start += 1;
    else if (Object.hasOwn(commonWords, word)) start += 1 + (commonWords[word] ?? 0);
    else break;
  }
  return { common: words.slice(0, start), rest: words.slice(start) };
}

/** Move common options behind the command's name: `bh-bridge --json sweep status DIR` becomes `bh-bridge sweep status --json DIR`. */
export function withCommonOptions(common: readonly string[], rest: readonly string[], program: Command): string[] {
  let depth = 0;
  for (let command = program.commands.find((each) => each.name() === rest[0]); command; depth++) {
    command = command.commands.find((each) => each.name() === rest[depth + 1]);
  }
  const isPage = depth === 0 && rest.length > 0; // --help and --version have no command
  return isPage ? [...rest, ...common] : rest.length === 0 ? [] : [...rest.slice(0, depth), ...common, ...rest.slice(depth)];
}

/** Arguments, options and subcommands of a command: the document of `--help --json`. */
export const helpDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/help@1"),
  command: z.string(),
  description: z.string(),
  usage: z.string(),
  arguments: z.array(z.strictObject({ name: z.string(), description: z.string(), required: z.boolean(), variadic: z.boolean() })),
  options: z.array(z.strictObject({ flags: z.string(), description: z.string(), default: z.json().optional() })),
  commands: z.array(z.strictObject({ name: z.string(), description: z.string() })),
});
export type HelpDocument = z.output<typeof helpDocumentSchema>;

function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}

export function helpDocument(command: Command): HelpDocument {
  const help = command.createHelp();
  return {
    schema: "bh-bridge/help@1",
    command: fullName(command),
    description: command.description(),
    usage: help.commandUsage(command),
    arguments: command.registeredArguments.map((each) => ({
      name: each.name(),
      description: each.description,
      required: each.required,
      variadic: each.variadic,
    })),
    options: help
      .visibleOptions(command)
      .map(({ flags, description, defaultValue }) => ({ flags, description, ...(defaultValue !== undefined && { default: defaultValue }) })),
    commands: help.visibleCommands(command).map((below) => ({ name: below.name(), description: below.description() })),
  };
}
