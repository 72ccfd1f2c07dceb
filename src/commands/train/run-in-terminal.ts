import { relative } from "node:path";
import type { StartedRun } from "../../bridge/started-run.js";
import { formatChanges } from "../../config/format-changes.js";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { exitCodes } from "../../errors.js";
import type { FindPythonOptions } from "../../python/find-python.js";
import type { UsablePython } from "../../python/resolve-python.js";
import type { TrainedRun, TrainListener } from "../../runner/train.js";
import { trapsOf } from "../../runner/traps.js";
import { shellQuote } from "../../text/shell-quote.js";
import type { PageBeside } from "../serve/page-beside.js";
import { ensurePython } from "../setup/ensure-python.js";
import { FailedRun } from "../terminal/failed-run.js";
import { listenToKeys } from "../terminal/keys.js";
import { reportPitfalls } from "../terminal/report-pitfalls.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import type { Terminal } from "../terminal/terminal.js";
import { eventHook } from "./event-hook.js";
import { formatStart } from "./format-result.js";
import { goOnWith } from "./go-on-with.js";
import { showResult } from "./show-result.js";
import { TrainingDisplay } from "./training-display.js";
import { trainingKeys } from "./training-keys.js";

/** Trains, with the interpreter that was found. */
export type Training = (python: UsablePython, options: { signal: AbortSignal }, listener: TrainListener) => Promise<TrainedRun>;

/** What a run in a terminal may have beside its training. */
interface RunInTerminalOptions {
  /** Shell command to run at alerts and at the end. */
  onEvent?: string | undefined;
  /** Directory of the run that is taken up. */
  resumed?: string;
  /** The page that the key `o` opens. */
  page: PageBeside;
}

/** What a first Ctrl-C does, by what is under way. */
const stopping = {
  start: "Stopping",
  training: "Stopping after this step, with a checkpoint",
  analysis: "Stopping the analysis: the training is on disk",
} as const;

/** Train as the program does it: progress on stderr, the notebook's output or one document on stdout, the exit code of how it ended. */
export async function runInTerminal(
  resolved: ResolvedConfig,
  terminal: Terminal,
  training: Training,
  { onEvent, resumed, page }: RunInTerminalOptions,
): Promise<void> {
  let phase: keyof typeof stopping = "start";
  let directory = resumed;
  let keys: Disposable | undefined;
  const goOn = () => (directory === undefined ? undefined : goOnWith(directory));
  using stop = stopOnSignal(terminal, { stopping: () => stopping[phase], last: goOn });
  const { config } = resolved;
  const python = await ensurePython(pythonOf(resolved), terminal, stop.signal);
  terminal.say(formatChanges(resolved, terminal.messageColor));
  reportPitfalls(trapsOf(config), terminal);
  terminal.say(terminal.messageColor.dim(`Python ${python.report.version} (${python.path}), PyTorch ${python.report.packages.torch}: starting`));
  const display = new TrainingDisplay(terminal, config.training.max_steps);
  const hook = onEvent === undefined ? undefined : eventHook(onEvent, (message) => terminal.say(message));
  const listener: TrainListener = {
    onStart(run, trainer) {
      phase = "training";
      directory = run.directory;
      display.stop();
      terminal.say(formatStart(run, config, terminal.messageColor));
      const hint = threadsHint(run.manifest.environment);
      if (hint !== undefined) terminal.say(hint);
      for (const line of resumeLines(run)) terminal.say(line);
      display.onStart(run);
      keys = listenToKeys(terminal, trainingKeys(terminal, trainer, page));
    },
    onEvent(event) {
      if (event.type === "train_end") {
        phase = "analysis";
        keys?.[Symbol.dispose]();
      }
      hook?.(event);
      display.onEvent(event);
    },
    onPhase: (text) => display.onPhase(text),
    onAnalysis: (done, states) => display.onAnalysis(done, states),
  };
  try {
    const { result } = await training(python, { signal: stop.signal }, listener);
    display.stop();
    showResult(result, config, terminal);
    const next = result.status === "completed" ? lookCloser(result.run) : goOn();
    if (next !== undefined) terminal.say(next);
    if (stop.signal.aborted) process.exitCode = exitCodes.sigint;
  } catch (error) {
    keys?.[Symbol.dispose]();
    display.stop();
    const next = goOn();
    throw next === undefined || terminal.quiet ? error : new FailedRun(error, next);
  }
}

/** The interpreter that a configuration names, as it is looked for. */
export function pythonOf({ config, sources }: ResolvedConfig): FindPythonOptions {
  if (!config.python) return {};
  return sources.get("python") === "--python" ? { python: config.python } : { config: config.python };
}

/** What a resumed run tells: where it goes on, what is computed twice, and which checkpoints were of no use. */
function resumeLines({ manifest, fromStep, recordedStep, rejectedCheckpoints }: StartedRun): string[] {
  const resume = manifest.resumes.at(-1);
  if (!resume) return [];
  const twice = recordedStep > fromStep ? `; steps ${fromStep + 1} to ${recordedStep} are computed again and ${resume.exact ? "compared" : "replaced"}` : "";
  return [
    ...rejectedCheckpoints.map((problem) => `Passed over: ${problem}`),
    ...resume.differences.map((difference) => `Not the same environment: ${difference}`),
    `Goes on  from ${fromStep === 0 ? "the start" : `the checkpoint of step ${fromStep}`}${twice}`,
  ];
}

function lookCloser(run: string): string {
  return `Look closer:  bh-bridge analyze ${shellQuote(relative(process.cwd(), run) || ".")}`;
}

/** Matrices of these models are too small to share out among more. */
const usefulThreads = 4;

/** What more threads than such a model can use cost, and how to find the right number; undefined where there are few, or none that count. */
function threadsHint({ device, threads }: { device: string; threads: number }): string | undefined {
  if (device !== "cpu" || threads <= usefulThreads) return undefined;
  return `Trains on ${threads} CPU threads: a model this small gains little beyond ${usefulThreads}, and loses much where other programs use the cores. Measure it:  bh-bridge doctor --measure`;
}
