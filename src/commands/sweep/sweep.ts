import { existsSync } from "node:fs";
import type { Command } from "commander";
import { BhBridgeError } from "../../errors.js";
import { sweepsFolder } from "../../runs/run-layout.js";
import { type CommonOptions, createCommand, repeated } from "../terminal/command.js";
import { Terminal } from "../terminal/terminal.js";
import { directoryCommands } from "./directory-commands.js";
import { addTrialOptions, fieldAliases, type TrialOptionValues } from "./trial-options.js";

type SweepCommandOptions = CommonOptions & TrialOptionValues & { grid?: string[]; zip?: string[] };

export function sweepCommand(): Command {
  const command = createCommand(
    "sweep",
    "Train every combination of axes with every seed, in parallel; run it again to continue",
    "bh-bridge sweep sigma.yaml --workers 2",
    "bh-bridge sweep --preset quick --grid training.learning_rate=1e-3,3e-4 --seeds 1..4",
  )
    .argument("[file]", "sweep in a JSON, YAML, TypeScript or JavaScript file")
    .option("--grid <field=values>", "axis as a,b,c or 1..9 or logspace:1e-6,1e-3,7 or linspace:0,1,5; may be repeated", repeated)
    .option("--zip <field=values>", "axis that varies together with the other zipped axes; may be repeated", repeated);
  addTrialOptions(command, sweepsFolder).action(async (file: string | undefined, options: SweepCommandOptions) => {
    await sweepInTerminal(file, options, new Terminal(options));
  });
  for (const each of directoryCommands()) command.addCommand(each);
  return command.enablePositionalOptions(); // -o after a subcommand belongs to the subcommand
}

/** Treat a word that is no file as a mistyped subcommand. */
async function refuseMistypedSubcommand(word: string): Promise<void> {
  if (/[./\\]/.test(word) || existsSync(word)) return;
  const { nearestName } = await import("../../config/config-invalid.js");
  const names = directoryCommands().map((each) => each.name());
  const near = nearestName(word, names);
  const hint = near === undefined ? `the subcommands are ${names.join(", ")}` : `did you mean "bh-bridge sweep ${near}"?`;
  throw new BhBridgeError("USAGE", `${JSON.stringify(word)} is neither a file nor a subcommand of sweep; ${hint}`);
}

async function sweepInTerminal(file: string | undefined, options: SweepCommandOptions, terminal: Terminal): Promise<void> {
  const { preset, config, grid, zip, seeds, set, name } = options;
  if (file !== undefined) await refuseMistypedSubcommand(file);
  if (file === undefined && !grid && !zip && seeds === undefined) {
    throw new BhBridgeError("USAGE", "name the file of a sweep, or its axes: --grid training.learning_rate=1e-3,3e-4, --seeds 1..4");
  }
  const { loadSweep } = await import("../../sweep/grammar/load-sweep.js");
  const { planSweep } = await import("../../sweep/plan/plan-experiment.js");
  const { concludeSweep } = await import("../../sweep/sweep-summary.js");
  const { conductInTerminal } = await import("./conduct-in-terminal.js");
  const { formatSweep } = await import("./format-sweep.js");
  const loaded = await loadSweep({ file, preset, config, grid, zip, seeds, name, aliases: fieldAliases(options), set });
  await conductInTerminal(
    {
      base: loaded.base,
      executor: loaded.spec.executor,
      isSearch: loaded.spec.optuna !== undefined,
      plan: (executor, signal, python) => planSweep(loaded, { executor, python, out: options.out }, signal),
      conclude: concludeSweep,
      format: (document) => formatSweep(document, terminal.color, terminal),
    },
    options,
    terminal,
  );
}
