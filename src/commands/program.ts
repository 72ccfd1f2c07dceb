import { Command } from "commander";
import { packageManifest } from "../python/package-manifest.js";
import { wrap } from "../text/wrap.js";
import { analyzeCommand } from "./analyze/analyze.js";
import { censusCommand } from "./census/census.js";
import { compareCommand } from "./compare/compare.js";
import { configCommand } from "./config/config.js";
import { doctorCommand } from "./doctor/doctor.js";
import { exportCommand } from "./export/export.js";
import { inspectCommand } from "./inspect/inspect.js";
import { presetsCommand } from "./presets/presets.js";
import { reproduceCommand } from "./reproduce/reproduce.js";
import { resumeCommand } from "./resume/resume.js";
import { runsCommand } from "./runs/runs.js";
import { setupCommand } from "./setup/setup.js";
import { helpEnding } from "./terminal/command.js";
import { helpDocument } from "./terminal/help-document.js";
import { trainCommand } from "./train/train.js";

/** The program with all its commands. Errors are thrown, never printed or exited on. */
export function createProgram(): Command {
  const program = new Command("bh-bridge")
    .description("Run, record and analyse small GPT-2 trainings, and see what becomes of equal embedding rows.")
    .version(packageManifest().version)
    .addHelpText("after", () => helpEnding("Start with:\n  $ bh-bridge doctor\n  $ bh-bridge train --preset quick"));
  for (const command of [
    trainCommand(),
    resumeCommand(),
    runsCommand(),
    compareCommand(),
    reproduceCommand(),
    analyzeCommand(),
    censusCommand(),
    inspectCommand(),
    exportCommand(),
    presetsCommand(),
    configCommand(),
    setupCommand(),
    doctorCommand(),
  ])
    program.addCommand(command);
  return throwErrors(program);
}

/** From so many columns on, terms and their descriptions stand side by side. */
const wideTerminal = 80;

/**
 * Make a command and those below it throw where commander would write an error and exit. Their help goes to stdout, also where a command was given nothing
 * to do; under `--json` it is a document.
 */
function throwErrors(command: Command): Command {
  const { formatHelp, formatItem } = command.createHelp();
  command
    .exitOverride()
    .configureOutput({ outputError: () => undefined, writeErr: (help) => process.stdout.write(help) })
    .configureHelp({
      formatHelp: (shown, help) => (process.argv.includes("--json") ? `${JSON.stringify(helpDocument(shown))}\n` : formatHelp.call(help, shown, help)),
      // Beside its term a description would be a narrow column there, which commander does not break: it goes below.
      formatItem: (term, termWidth, description, help) =>
        (help.helpWidth ?? wideTerminal) < wideTerminal && description !== ""
          ? `  ${term}\n${wrap(`      ${description}`, help.helpWidth)}`
          : formatItem.call(help, term, termWidth, description, help),
    });
  command.commands.forEach(throwErrors);
  return command;
}
