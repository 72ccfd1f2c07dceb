import { availableParallelism } from "node:os";
import { type Command, Option } from "commander";
import { BhBridgeError, exitCodes } from "../../errors.js";
import type { SweepDocument } from "../../sweep/sweep-document.js";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { Terminal } from "../terminal/terminal.js";

interface SweepCommandOptions extends CommonOptions {
  preset?: string;
  config?: string;
  grid?: string[];
  zip?: string[];
  seeds?: string;
  set?: string[];
  corpus?: string;
  steps?: string;
  device?: string;
  threads?: string;
  python?: string;
  name?: string;
  workers?: string;
  dryRun?: boolean;
  retry?: boolean;
  failFast?: boolean;
  out: string;
}

const repeated = (text: string, earlier: string[] | undefined) => [...(earlier ?? []), text];

/** `bh-bridge sweep`: many runs from one file, several side by side; the same command again continues. */
export function sweepCommand(): Command {
  return createCommand(
    "sweep",
    "Train many runs: every combination of axes with every seed, several side by side; the same command again continues",
    "bh-bridge sweep sigma.yaml --workers 2",
    "bh-bridge sweep --preset quick --grid training.learning_rate=1e-3,3e-4 --seeds 1..4",
  )
    .argument("[file]", "sweep in a JSON, YAML, TypeScript or JavaScript file")
    .option("-p, --preset <name>", "what the trials start from, where the file has no base: a preset")
    .option("-c, --config <file>", "likewise: a configuration file, or a run directory")
    .addOption(new Option("--grid <field=values>", "axis: a,b,c or 1..9 or logspace:1e-6,1e-3,7 or linspace:0,1,5; may be repeated").argParser(repeated))
    .addOption(
      new Option("--zip <field=values>", "linked axis: its first value goes with the first of the others, and so on; may be repeated").argParser(repeated),
    )
    .option("--seeds <seeds>", "seeds of every point: 42..51, or 1,2,5")
    .addOption(new Option("--set <path=value>", "value that all trials have; may be repeated").argParser(repeated))
    .option("--corpus <file>", "text to train on (data.corpus)")
    .option("--steps <n>", "optimizer steps (training.max_steps)")
    .option("--device <name>", "auto, cpu, cuda, cuda:N or mps (device)")
    .option("--threads <n>", "CPU threads of each trial (threads); 1 when left out")
    .option("--python <path>", "Python interpreter (python)")
    .option("--name <text>", "name of the sweep; that of its file when left out")
    .option("--workers <n>", "trials side by side; one a core when left out")
    .option("--retry", "train failed trials once more")
    .option("--fail-fast", "begin no more trials once one has failed")
    .option("--dry-run", "list the trials, what there is of them, and what the rest will take; train none")
    .option("--out <dir>", "folder that holds sweeps", "sweeps")
    .action(async (file: string | undefined, options: SweepCommandOptions) => {
      await sweepInTerminal(file, options, new Terminal(options));
    })
    .addCommand(statusCommand());
}

function statusCommand(): Command {
  return createCommand(
    "status",
    "Say what became of the trials of a sweep, which may be under way",
    "bh-bridge sweep status sweeps/2026-11-25T10-00-00-sigma-1f2e3d4c",
  )
    .argument("<dir>", "directory of a sweep")
    .action(async (directory: string, _: unknown, command: Command) => {
      const own = command.opts<CommonOptions>();
      const above = command.parent?.opts<CommonOptions>() ?? own;
      const terminal = new Terminal({ color: own.color && above.color, json: own.json ?? above.json ?? false, quiet: own.quiet ?? above.quiet ?? false });
      const [{ readSweep }, { lockHolders }, { formatSweep }] = await Promise.all([
        import("../../sweep/read-sweep.js"),
        import("../../python/lock-holders.js"),
        import("./format-sweep.js"),
      ]);
      const document = await readSweep(directory, lockHolders);
      terminal.print(formatSweep(document, terminal.color, terminal.width));
      terminal.document(document);
    });
}

async function sweepInTerminal(file: string | undefined, options: SweepCommandOptions, terminal: Terminal): Promise<void> {
  const { preset, config, grid, zip, seeds, set, corpus, steps, device, threads, python: interpreter, name, out, retry, failFast } = options;
  if (file === undefined && !grid && !zip && seeds === undefined) {
    throw new BhBridgeError("USAGE", "name the file of a sweep, or its axes: --grid training.learning_rate=1e-3,3e-4, --seeds 1..4");
  }
  const workers = options.workers === undefined ? availableParallelism() : wholeNumber(options.workers);
  const [{ loadSweep }, { planSweep }, { findSweepDirectory }, { ensurePython }, { stopOnSignal }] = await Promise.all([
    import("../../sweep/grammar/load-sweep.js"),
    import("../../sweep/plan/sweep-plan.js"),
    import("../../sweep/plan/sweep-directory.js"),
    import("../setup/ensure-python.js"),
    import("../terminal/stop-on-signal.js"),
  ]);
  const aliases = { corpus, steps, device, threads, python: interpreter };
  const loaded = await loadSweep({ file, preset, config, grid, zip, seeds, name, aliases, set });
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping after these steps, with checkpoints; the same command continues" });
  const { signal } = stop;
  const python = await ensurePython(interpreter === undefined ? { ...configured(loaded.base.config.python) } : { python: interpreter }, terminal, signal);
  const plan = await planSweep(loaded, python, signal);
  if (options.dryRun) {
    const [{ previewSweep }, { formatPreview }] = await Promise.all([import("../../sweep/plan/preview-sweep.js"), import("./format-sweep.js")]);
    const document = await previewSweep(plan, python, { out, workers, signal });
    terminal.print(formatPreview(document, terminal.color, terminal.width));
    terminal.document(document);
    return;
  }
  const { same, other } = findSweepDirectory(out, plan);
  if (same === undefined && other !== undefined) terminal.say(`Base or rules are others than those of ${other}: this sweep gets a directory of its own`);
  const [{ conductSweep }, { SweepDisplay }, { formatSweep }] = await Promise.all([
    import("../../sweep/conduct-sweep.js"),
    import("./sweep-display.js"),
    import("./format-sweep.js"),
  ]);
  const display = new SweepDisplay(terminal);
  try {
    const document = await conductSweep(plan, python, { out, workers, retry, failFast, signal }, (event) => display.onEvent(event));
    display.stop();
    terminal.print(formatSweep(document, terminal.color, terminal.width));
    terminal.document(document);
    process.exitCode = exitCodeOfSweep(document, signal);
    if (process.exitCode !== exitCodes.ok) terminal.say(`Continue:  the same command${document.counts.failed > 0 ? ", with --retry for what has failed" : ""}`);
  } finally {
    display.stop();
  }
}

/** Every trial has ended as it was meant to, or a part of them has not. */
function exitCodeOfSweep({ counts, trials }: SweepDocument, { aborted }: AbortSignal): number {
  if (aborted) return exitCodes.sigint;
  return counts.completed + counts.pruned === trials.length ? exitCodes.ok : exitCodes.sweepPartlyFailed;
}

function configured(python: string | undefined): { config?: string } {
  return python === undefined ? {} : { config: python };
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new BhBridgeError("USAGE", `--workers takes a whole number above 0, not "${text}"`);
  return value;
}
