import { Command, Option } from "commander";
import { runsFolder } from "../../runs/run-layout.js";
import { type ProgressMode, progressModes } from "./progress-mode.js";

export interface CommonOptions {
  json?: boolean;
  quiet?: boolean;
  progress?: ProgressMode;
  color: boolean;
}

/** A command with what all commands share: `--json`, `--quiet`, `--progress`, `--no-color`, and examples in its help. */
export function createCommand(name: string, summary: string, ...examples: [string, ...string[]]): Command {
  return new Command(name)
    .description(summary)
    .option("--json", "print one JSON document on stdout and nothing else there")
    .option("-q, --quiet", "print results and errors only")
    .addOption(
      new Option("--progress <how>", "progress on stderr: auto draws it on a terminal, json writes events and messages as JSON lines").choices(progressModes),
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
  return new Option("--out <dir>", "folder that holds the runs").default(runsFolder);
}

/** Collect an option that may be repeated. */
export function repeated(text: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), text];
}

/** Text below a help page for people; a page for scripts (`--help --json`) has none. */
export function helpEnding(text: string): string {
  return process.argv.includes("--json") ? "" : `\n${text}`;
}
