import type { Command } from "commander";
import { experimentsFolder } from "../../runs/run-layout.js";
import { addTrialOptions, fieldAliases, type TrialOptionValues } from "../sweep/trial-options.js";
import { type CommonOptions, createCommand, repeated } from "../terminal/command.js";
import { Terminal } from "../terminal/terminal.js";

type ExperimentCommandOptions = CommonOptions & TrialOptionValues & { arm?: string[] };

export function experimentCommand(): Command {
  const command = createCommand(
    "experiment",
    "Compare arms over seeds and judge by rules fixed in advance; run it again to continue",
    "bh-bridge experiment rmsnorm-vs-layernorm --seeds 42..51",
    "bh-bridge experiment --preset quick --arm still --arm jiggle:noise.epsilon=3e-5 --seeds 1..3",
  )
    .argument("[experiment]", "shipped experiment (see: bh-bridge presets), or a JSON, YAML, TypeScript or JavaScript file")
    .option("--arm <name:field=value>", "arm with fields separated by commas; the first is the control; may be repeated", repeated);
  return addTrialOptions(command, experimentsFolder).action(async (given: string | undefined, options: ExperimentCommandOptions) => {
    await experimentInTerminal(given, options, new Terminal(options));
  });
}

async function experimentInTerminal(given: string | undefined, options: ExperimentCommandOptions, terminal: Terminal): Promise<void> {
  const { preset, config, seeds, set, name, arm } = options;
  const [{ experimentFromOptions }, { loadBase }, { planExperiment }, { concludeQuestion }, { conductInTerminal }, { formatExperiment }] = await Promise.all([
    import("./experiment-from-options.js"),
    import("../../sweep/grammar/load-base.js"),
    import("../../sweep/plan/plan-experiment.js"),
    import("../../sweep/experiment/experiment.js"),
    import("../sweep/conduct-in-terminal.js"),
    import("../sweep/format-sweep.js"),
  ]);
  const loaded = await experimentFromOptions(given, { arms: arm ?? [], seeds, name });
  const base = await loadBase(loaded.base, { preset, config, aliases: fieldAliases(options), set }, { directory: loaded.directory, cwd: process.cwd() });
  await conductInTerminal(
    {
      base,
      executor: loaded.executor,
      plan: (executor, signal) => planExperiment(loaded, base, executor, signal),
      conclude: (plan, python) => concludeQuestion(plan, plan.question, python),
      format: (document) => formatExperiment(document, terminal.color, terminal.width),
    },
    options,
    terminal,
  );
}
