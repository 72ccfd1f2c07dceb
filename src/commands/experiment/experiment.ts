import type { Command } from "commander";
import { BhBridgeError } from "../../errors.js";
import { experimentsFolder } from "../../runs/run-layout.js";
import { addTrialOptions, fieldAliases, type TrialOptionValues } from "../sweep/trial-options.js";
import { type CommonOptions, createCommand, repeated } from "../terminal/command.js";
import { wholeNumber } from "../terminal/target.js";
import { Terminal } from "../terminal/terminal.js";

type ExperimentCommandOptions = CommonOptions &
  TrialOptionValues & { arm?: string[]; untilDecided?: boolean; maxSeeds?: string; noiseFloor?: string; effect?: string[] };

export function experimentCommand(): Command {
  const command = createCommand(
    "experiment",
    "Compare arms over seeds and judge by rules fixed in advance; run it again to continue",
    "bh-bridge experiment rmsnorm-vs-layernorm --seeds 42..51",
    "bh-bridge experiment --preset quick --arm still --arm jiggle:noise.epsilon=3e-5 --seeds 1..3",
    "bh-bridge experiment rmsnorm-vs-layernorm --until-decided --max-seeds 40",
    "bh-bridge experiment rmsnorm-vs-layernorm --noise-floor 8 --effect finalLoss=0.02",
  )
    .argument("[experiment]", "shipped experiment (see: bh-bridge presets), or a JSON, YAML, TypeScript or JavaScript file")
    .option("--arm <name:field=value>", "arm with fields separated by commas; the first is the control; may be repeated", repeated)
    .option("--until-decided", "verdict after every pair of seeds, and no more trials once it is decided (rules.sequential)")
    .option("--max-seeds <n>", "maximum of seeds with --until-decided; may be raised later (default: --seeds, or 40)")
    .option("--noise-floor <n>", "spread of every measure over n seeds of the control alone, before arms are compared")
    .option("--effect <measure=size>", "with --noise-floor, the pairs to show an effect of this size; may be repeated", repeated);
  return addTrialOptions(command, experimentsFolder).action(async (given: string | undefined, options: ExperimentCommandOptions) => {
    const { noiseFloor, effect } = options;
    if (noiseFloor !== undefined) await noiseFloorInTerminal(given, { ...options, noiseFloor }, new Terminal(options));
    else if (effect !== undefined) throw new BhBridgeError("USAGE", "--effect needs the spread of the control: add --noise-floor 8");
    else await experimentInTerminal(given, options, new Terminal(options));
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
  const maxSeeds = maxSeedsOf(options);
  const loaded = await experimentFromOptions(given, { arms: arm ?? [], seeds, name, untilDecided: options.untilDecided, maxSeeds });
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

function maxSeedsOf({ maxSeeds }: ExperimentCommandOptions): number | undefined {
  return maxSeeds === undefined ? undefined : wholeNumber("--max-seeds", maxSeeds);
}

async function noiseFloorInTerminal(given: string | undefined, options: ExperimentCommandOptions & { noiseFloor: string }, terminal: Terminal): Promise<void> {
  const { preset, config, seeds, set, name, arm, out, untilDecided } = options;
  const [{ noiseFloorFromOptions }, { loadBase }, floors, { conductInTerminal }, { formatNoiseFloor }, { findPlanDirectory }] = await Promise.all([
    import("./experiment-from-options.js"),
    import("../../sweep/grammar/load-base.js"),
    import("../../sweep/experiment/noise-floor.js"),
    import("../sweep/conduct-in-terminal.js"),
    import("../sweep/format-sweep.js"),
    import("../../sweep/plan/plan-directory.js"),
  ]);
  const noiseFloor = wholeNumber("--noise-floor", options.noiseFloor);
  const chosen = { arms: arm ?? [], seeds, name, untilDecided, maxSeeds: maxSeedsOf(options), noiseFloor, effects: options.effect ?? [] };
  const source = await noiseFloorFromOptions(given, chosen);
  const { loaded } = source;
  const base = await loadBase(loaded.base, { preset, config, aliases: fieldAliases(options), set }, { directory: loaded.directory, cwd: process.cwd() });
  const question = source.question(base.config.seed);
  await conductInTerminal(
    {
      base,
      executor: loaded.executor,
      plan: (executor, signal) => floors.planNoiseFloor(question, base, executor, signal),
      earlier: (plan) => floors.earlierNoiseFloor(findPlanDirectory(out, plan).same, question),
      conclude: () => floors.concludeNoiseFloor(question),
      format: (document) => formatNoiseFloor(document, terminal.color, terminal.width),
    },
    options,
    terminal,
  );
}
