import type { Command } from "commander";
import { BhBridgeError } from "../../errors.js";
import { experimentsFolder } from "../../runs/run-layout.js";
import { addTrialOptions, fieldAliases, type TrialOptionValues } from "../sweep/trial-options.js";
import { type CommonOptions, createCommand, repeated } from "../terminal/command.js";
import { optionalNumber, wholeNumber } from "../terminal/target.js";
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
  const { experimentFromOptions } = await import("./experiment-from-options.js");
  const { loadBase } = await import("../../sweep/grammar/load-base.js");
  const { planExperiment } = await import("../../sweep/plan/plan-experiment.js");
  const { concludeQuestion } = await import("../../sweep/experiment/experiment.js");
  const { conductInTerminal } = await import("../sweep/conduct-in-terminal.js");
  const { formatExperiment } = await import("../sweep/format-sweep.js");
  const maxSeeds = optionalNumber("--max-seeds", options.maxSeeds);
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

async function noiseFloorInTerminal(given: string | undefined, options: ExperimentCommandOptions & { noiseFloor: string }, terminal: Terminal): Promise<void> {
  const { preset, config, seeds, set, name, arm, out, untilDecided } = options;
  const { noiseFloorFromOptions } = await import("./experiment-from-options.js");
  const { loadBase } = await import("../../sweep/grammar/load-base.js");
  const floors = await import("../../sweep/experiment/noise-floor.js");
  const { conductInTerminal } = await import("../sweep/conduct-in-terminal.js");
  const { formatNoiseFloor } = await import("../sweep/format-sweep.js");
  const { findPlanDirectory } = await import("../../sweep/plan/plan-directory.js");
  const noiseFloor = wholeNumber("--noise-floor", options.noiseFloor);
  const maxSeeds = optionalNumber("--max-seeds", options.maxSeeds);
  const chosen = { arms: arm ?? [], seeds, name, untilDecided, maxSeeds, noiseFloor, effects: options.effect ?? [] };
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
