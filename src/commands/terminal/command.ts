import { Command, Option } from "commander";
import { runsFolder } from "../../runs/run-layout.js";
import { runnable } from "./invocation.js";
import { type ProgressMode, progressModes } from "./progress-mode.js";

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
