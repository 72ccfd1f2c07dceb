import { dirname } from "node:path";
import type { Command } from "commander";
import type { ResolvedConfig } from "../config/resolve-run-config.js";
import { BhBridgeError } from "../errors.js";
import type { ResumeRunOptions } from "../runner/resume.js";
import { count } from "../text/format.js";
import { PageBeside } from "./serve/page-beside.js";
import { type CommonOptions, createCommand, outOption } from "./terminal/command.js";
import { optionalNumber } from "./terminal/target.js";
import { Terminal } from "./terminal/terminal.js";
import { addNodeOptions, type NodeValues, nodesOf, takePlace } from "./train/node-options.js";
import type { Training } from "./train/run-in-terminal.js";

export type ResumeValues = { out: string; steps?: string; threads?: string; corpus?: string; allowInexact?: boolean; python?: string; onEvent?: string };

type ResumeCommandOptions = CommonOptions & ResumeValues & NodeValues;

export function resumeCommand(): Command {
  const example = "bh-bridge resume runs/2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c";
  return addNodeOptions(createCommand("resume", "Resume a run that ended early, with the same bits", example))
    .argument("[run]", "path, name, or unique prefix of a name (default: the newest unfinished run)")
    .addOption(outOption())
    .option("--steps <n>", "new total number of steps, if the schedule of the learning rate allows it")
    .option("--threads <n>", "CPU threads (default: those of the run; another number requires engine portable or --allow-inexact)")
    .option("--corpus <file>", "current path of the training text")
    .option("--allow-inexact", "resuming in a different environment, with other bits from the checkpoint on")
    .option("--python <path>", "Python interpreter")
    .option("--on-event <command>", "shell command for alerts and the end, with the event as JSON on stdin")
    .action(async (run: string | undefined, options: ResumeCommandOptions) => {
      const terminal = new Terminal(options);
      const nodes = nodesOf(options);
      if (nodes && (await takePlace(nodes, options.python, terminal))) return;
      await resumeInTerminal(run ?? null, options, terminal);
    });
}

/** Resume a run, or the newest unfinished one. The key `o` opens `page` (default: a page of the run's folder). */
export async function resumeInTerminal(
  given: string | null,
  { out, steps, threads, corpus, allowInexact, python, onEvent }: ResumeValues,
  terminal: Terminal,
  page?: PageBeside,
): Promise<void> {
  const [{ openResumable, resumeRun, sumUp }, { directoryOfRun }] = await Promise.all([import("../runner/resume.js"), import("../runs/scan-runs.js")]);
  const options: ResumeRunOptions = { steps: optionalNumber("--steps", steps), threads: optionalNumber("--threads", threads), corpus, allowInexact };
  const directory = given === null ? await newestUnfinished(out) : await directoryOfRun(given, out);
  if (given === null) terminal.say(`Unfinished: ${directory}`);
  const resumable = await openResumable(directory, options);
  const { resolved } = resumable;
  if (resumable.isComplete) {
    terminal.say(`${directory} is complete: there is nothing to resume`);
    const { showResult } = await import("./train/format-result.js");
    const { stopOnSignal } = await import("./terminal/stop-on-signal.js");
    const { TrainingDisplay } = await import("./train/training-display.js");
    using stop = stopOnSignal(terminal, { stopping: () => "Stopping the analysis" });
    const display = new TrainingDisplay(terminal, resolved.config.training.max_steps);
    const { result } = await sumUp(resumable, { signal: stop.signal, onProgress: (done, states) => display.onAnalysis(done, states) });
    display.stop();
    return showResult(result, resolved.config, terminal);
  }
  const { runInTerminal } = await import("./train/run-in-terminal.js");
  const chosen = python === undefined ? resolved : withPython(resolved, python);
  const training: Training = (interpreter, cancel, listener) => resumeRun(resumable, interpreter, { ...options, ...cancel }, listener);
  await using own = new PageBeside(dirname(directory), terminal);
  await runInTerminal(chosen, terminal, training, { onEvent, resumed: directory, page: page ?? own });
}

async function newestUnfinished(out: string): Promise<string> {
  const [{ scanRuns, unfinishedRuns }, { lockHolders }] = await Promise.all([import("../runs/scan-runs.js"), import("../python/lock-holders.js")]);
  const runs = await scanRuns(out, lockHolders);
  const [newest] = unfinishedRuns(runs);
  if (newest) return newest.directory;
  const running = runs.filter(({ status }) => status === "running").length;
  throw new BhBridgeError(
    "RUN_NOT_FOUND",
    `no unfinished run in ${out} (${count(runs.length, "run")}, ${running} of them running): name a run, or another folder with --out`,
  );
}

function withPython(resolved: ResolvedConfig, python: string): ResolvedConfig {
  return { ...resolved, config: { ...resolved.config, python }, sources: new Map([...resolved.sources, ["python", "--python"]]) };
}
