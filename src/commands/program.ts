import { type Argument, Command } from "commander";
import { packageManifest } from "../python/package-manifest.js";
import { wrap } from "../text/wrap.js";
import { helpDocument, helpEnding } from "./terminal/command.js";

/** Commands in the order of the help page. Each is loaded on demand. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  train: async () => (await import("./train/train.js")).trainCommand(),
  resume: async () => (await import("./resume.js")).resumeCommand(),
  experiment: async () => (await import("./experiment/experiment.js")).experimentCommand(),
  sweep: async () => (await import("./sweep/sweep.js")).sweepCommand(),
  runs: async () => (await import("./runs/runs.js")).runsCommand(),
  serve: async () => (await import("./serve/serve.js")).serveCommand(),
  compare: async () => (await import("./compare/compare.js")).compareCommand(),
  reproduce: async () => (await import("./reproduce/reproduce.js")).reproduceCommand(),
  rerecord: async () => (await import("./rerecord.js")).rerecordCommand(),
  simulate: async () => (await import("./simulate.js")).simulateCommand(),
  analyze: async () => (await import("./analyze.js")).analyzeCommand(),
  census: async () => (await import("./census.js")).censusCommand(),
  tokens: async () => (await import("./tokens.js")).tokensCommand(),
  inspect: async () => (await import("./inspect/inspect.js")).inspectCommand(),
  audit: async () => (await import("./audit.js")).auditCommand(),
  export: async () => (await import("./export.js")).exportCommand(),
  report: async () => (await import("./report.js")).reportCommand(),
  tokenizer: async () => (await import("./tokenizer.js")).tokenizerCommand(),
  presets: async () => (await import("./presets.js")).presetsCommand(),
  config: async () => (await import("./config/config.js")).configCommand(),
  setup: async () => (await import("./setup/setup.js")).setupCommand(),
  doctor: async () => (await import("./doctor/doctor.js")).doctorCommand(),
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
