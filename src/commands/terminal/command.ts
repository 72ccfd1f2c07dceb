import { Command, Option } from "commander";
import { runsFolder } from "../../runs/run-layout.js";

export interface CommonOptions {
  json?: boolean;
  quiet?: boolean;
  color: boolean;
}

/** A command with what all commands share: `--json`, `--quiet`, `--no-color`, and examples in its help. */
export function createCommand(name: string, summary: string, ...examples: [string, ...string[]]): Command {
  return new Command(name)
    .description(summary)
    .option("--json", "print one JSON document on stdout and nothing else there")
    .option("-q, --quiet", "print results and errors only")
    .option("--no-color", "print without colour")
    .addHelpText("after", () => helpEnding(`Example:\n${examples.map((example) => `  $ ${example}`).join("\n")}`));
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
