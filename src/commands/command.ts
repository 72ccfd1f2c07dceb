import { Command } from "commander";

export interface CommonOptions {
  json?: boolean;
  quiet?: boolean;
  color: boolean;
}

/** A command with what all commands share: `--json`, `--quiet`, `--no-color`, and an example in its help. */
export function createCommand(name: string, summary: string, example: string): Command {
  return new Command(name)
    .description(summary)
    .option("--json", "print one JSON document on stdout and nothing else there")
    .option("-q, --quiet", "print results and errors only")
    .option("--no-color", "print without colour")
    .addHelpText("after", `\nExample:\n  $ ${example}`);
}
