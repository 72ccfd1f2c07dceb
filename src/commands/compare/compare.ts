import type { Command } from "commander";
import type { ComparablePart, Comparison, StepTarget } from "../../compare/compare.js";
import type { Divergence } from "../../compare/locate-divergence.js";
import { nearestName } from "../../config/config-invalid.js";
import { BhBridgeError, exitCodes } from "../../errors.js";
import type { CompareDocument } from "../documents.js";
import { type CommonOptions, createCommand, outOption } from "../terminal/command.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import { Terminal } from "../terminal/terminal.js";

/** Parse a comma-separated list of known names. @param complain creates the error for an unknown name, from a suggestion. */
export function knownNames<Name extends string>(list: string, known: readonly Name[], complain: (name: string, meant: string) => Error): Name[] {
  return list.split(",").map((text) => {
    const given = text.trim();
    const name = known.find((each) => each === given);
    if (name !== undefined) return name;
    const near = nearestName(given, known);
    throw complain(given, near === undefined ? `expected ${known.join(", ")}` : `did you mean ${near}?`);
  });
}

type CompareCommandOptions = CommonOptions & { out: string; assertEqual?: string; all?: boolean; deep?: boolean; corpus?: string; python?: string };

export function compareCommand(): Command {
  return createCommand(
    "compare",
    "Compare runs: configuration, data, environment, code, results and histories",
    "bh-bridge compare runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c runs/2026-11-24T16-31-07-layernorm-control-5a6b7c8d",
    "bh-bridge compare runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c runs/2026-11-24T16-31-07-layernorm-control-5a6b7c8d --assert-equal history,loss,config,final",
    "bh-bridge compare runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c runs/2026-11-24T16-31-07-layernorm-control-5a6b7c8d --deep",
    "bh-bridge compare runs/my-run::1 runs/my-run::3",
  )
    .argument("<runs...>", "path, name, or unique prefix of a name, each with ::STEP for the model of a step; all are compared with the first")
    .option("--assert-equal <parts>", "parts that must be equal, else exit code 1: history, loss, config, final")
    .option("--all", "also names, paths, times and all packages")
    .option("--deep", "search for the first different module by training unequal runs again")
    .option("--corpus <file>", "current path of the training text, for --deep and steps")
    .option("--python <path>", "Python interpreter, for --deep and steps")
    .addOption(outOption())
    .action(compareRuns);
}

async function compareRuns(given: string[], options: CompareCommandOptions): Promise<void> {
  const terminal = new Terminal(options);
  const { compare, comparableParts, stepTarget, unequalParts } = await import("../../compare/compare.js");
  const { directoryOfRun } = await import("../../runs/scan-runs.js");
  const demanded = partsOf(options.assertEqual ?? "", comparableParts);
  const targets: StepTarget[] = [];
  for (const { run, ...step } of given.map(stepTarget)) targets.push({ run: await directoryOfRun(run, options.out), ...step });
  const isOfSteps = targets.some(({ step }) => step !== undefined);
  if (isOfSteps) requireStepOptions(options, demanded);
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the comparison" });
  const runs = targets.map(({ run }) => run);
  const recorded = isOfSteps ? await compareSteps(targets, options, terminal) : await compare(runs, { signal: stop.signal, ...(options.all && { all: true }) });
  const comparison = options.deep ? { ...recorded, deep: await deepenInTerminal(recorded, options, terminal, stop.signal) } : recorded;
  terminal.document({ schema: "bh-bridge/compare@1", ...comparison } satisfies CompareDocument);
  if (!terminal.json) {
    const { formatComparison } = await import("./format-comparison.js");
    terminal.print(formatComparison(comparison, terminal.color, terminal.width));
  }
  const unequal = unequalParts(comparison, demanded);
  if (unequal.length === 0) return;
  terminal.say(`Not equal: ${unequal.join(", ")}`);
  process.exitCode = exitCodes.failed;
}

/** @throws {BhBridgeError} `USAGE` for options that models of steps do not support. */
function requireStepOptions({ deep, all }: CompareCommandOptions, demanded: readonly ComparablePart[]): void {
  const option = deep ? "--deep" : all ? "--all" : demanded.some((part) => part === "history" || part === "loss") ? "--assert-equal history,loss" : undefined;
  if (option === undefined) return;
  throw new BhBridgeError("USAGE", `${option} compares whole runs, but a step is named: omit the steps, or use --assert-equal final for the models`);
}

async function compareSteps(targets: readonly StepTarget[], { corpus, python }: CompareCommandOptions, terminal: Terminal): Promise<Comparison> {
  const { compareAtSteps } = await import("../../compare/compare.js");
  const { modelAtInTerminal } = await import("../reproduce/train-again-in-terminal.js");
  return compareAtSteps(targets, ({ run, step }) => modelAtInTerminal(run, { step, corpus, python }, terminal));
}

async function deepenInTerminal(
  comparison: Comparison,
  { corpus, python }: CompareCommandOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Divergence[]> {
  const { locateDivergences } = await import("../../compare/compare.js");
  const { pythonOf } = await import("../../runner/train-again.js");
  const { ensurePython } = await import("../setup/ensure-python.js");
  const { TrainingAgainDisplay } = await import("../reproduce/train-again-in-terminal.js");
  using display = new TrainingAgainDisplay(terminal);
  return await locateDivergences(comparison, {
    python: (run) => ensurePython(pythonOf(run, python), terminal, signal),
    corpus,
    signal,
    listen: (run, until) => display.listen(run, until),
  });
}

function partsOf<Part extends string>(list: string, known: readonly Part[]): Part[] {
  const given = list
    .split(",")
    .filter((text) => text.trim() !== "")
    .join(",");
  if (given === "") return [];
  return knownNames(given, known, (name, meant) => new BhBridgeError("USAGE", `--assert-equal: "${name}" cannot be compared: ${meant}`));
}
