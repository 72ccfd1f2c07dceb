import { spawn } from "node:child_process";
import { relative } from "node:path";
import type { StartedRun } from "../../bridge/run-record.js";
import type { Trainer } from "../../bridge/trainer.js";
import { formatChanges } from "../../config/annotated-yaml.js";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { BhBridgeError, exitCodes } from "../../errors.js";
import type { TrainEvent, TrainEventType } from "../../protocol/events.js";
import type { FindPythonOptions } from "../../python/find-python.js";
import { lockHolders } from "../../python/lock-holders.js";
import type { UsablePython } from "../../python/require-packages.js";
import { equalRunOf } from "../../runner/find-equal-run.js";
import { openRun } from "../../runner/open-run.js";
import { type Trap, trapsOf } from "../../runner/pitfalls.js";
import type { TrainedRun, TrainListener } from "../../runner/train.js";
import { hasTakenStep } from "../../runs/read-events.js";
import { type FoundRun, findRun, noLockHolders, scanRuns, unfinishedRuns } from "../../runs/scan-runs.js";
import { shellQuote } from "../../text/escaping.js";
import type { PageBeside } from "../serve/page-beside.js";
import { ensurePython } from "../setup/ensure-python.js";
import { type KeyActions, listenToKeys } from "../terminal/keys.js";
import { FailedRun } from "../terminal/shown-error.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import type { Terminal } from "../terminal/terminal.js";
import { formatStart, showResult } from "./format-result.js";
import { TrainingDisplay } from "./training-display.js";

/** Print the pitfalls of what is about to be trained on stderr, a line for each with the setting that corrects it; nothing where there is none. */
export function reportPitfalls(traps: readonly Trap[], terminal: Terminal): void {
  if (traps.length === 0) return;
  const widest = Math.max(...traps.map(({ what }) => what.length));
  const lines = traps.map(({ what, corrected }) => `  ${what.padEnd(widest)}  ${terminal.messageColor.dim(corrected)}`);
  terminal.say(["Pitfalls of this configuration, each with the setting that corrects it:", ...lines].join("\n"));
}

/** What a person wants to be called for: that something is wrong, and that a training has ended. */
const hookedEvents: readonly TrainEventType[] = ["alert", "checkpoint_rejected", "stopped", "train_end"];

/**
 * Run a shell command at every notable event, with the event as JSON on its stdin; the training does not wait for it. A webhook is such a command:
 * `curl -sS --json @- https://…`. Nothing is sent anywhere unless this is asked for.
 *
 * @param say told what the command writes to its stderr, and when it fails, which concerns no training.
 */
export function eventHook(command: string, say: (message: string) => void): (event: TrainEvent) => void {
  return (event) => {
    if (!hookedEvents.includes(event.type)) return;
    const child = spawn(command, { shell: true, stdio: ["pipe", "ignore", "pipe"] });
    child.on("error", (error) => say(`--on-event could not be run: ${error.message}`));
    child.on("exit", (code) => code !== 0 && say(`--on-event ended with exit code ${code} at event ${event.type}`));
    child.stderr.setEncoding("utf8").on("data", (text: string) => say(text.trimEnd()));
    child.stdin.on("error", () => undefined); // a command that does not read its input is free not to
    child.stdin.end(`${JSON.stringify(event)}\n`);
  };
}

/** The command that goes on with a run; nothing for a run that has no step to go on from. */
export function goOnWith(run: string): string | undefined {
  return hasTakenStep(run) ? `Go on with:  bh-bridge resume ${shellQuote(relative(process.cwd(), run) || ".")}` : undefined;
}

/** What single keys do while a training goes on. */
export function trainingKeys(terminal: Terminal, trainer: Pick<Trainer, "requestCheckpoint">, page: PageBeside): KeyActions {
  return {
    h: () => terminal.say("Keys: s checkpoint now, o open the page, q stop after this step with a checkpoint (as Ctrl-C), h this help"),
    s: () => {
      trainer.requestCheckpoint();
      terminal.say("Saving a checkpoint after this step");
    },
    o: () => {
      page.open().catch((error: unknown) => terminal.say(`The page cannot be served: ${error instanceof BhBridgeError ? error.message : String(error)}`));
    },
    q: () => process.kill(process.pid, "SIGINT"),
  };
}

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
function pythonOf({ config, sources }: ResolvedConfig): FindPythonOptions {
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

/** Tell the result of an equal run that is complete, where there is one; whether there is. */
export async function tellOfEqualRun(resolved: ResolvedConfig, where: { out: string; startFrom?: string }, terminal: Terminal): Promise<boolean> {
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping" });
  const { signal } = stop;
  const directory = await equalRunOf(resolved, () => ensurePython(pythonOf(resolved), terminal, signal), { ...where, signal });
  if (directory === undefined) return false;
  terminal.say(`Complete already, with the same configuration, text, device and threads: ${relative(process.cwd(), directory) || "."}`);
  const run = await openRun(directory);
  showResult(await run.result({ signal }), run.config, terminal);
  return true;
}

/**
 * The newest unfinished run of the same configuration, when somebody at a terminal wants to go on with it; a script is told of it, and starts anew.
 *
 * @param startFrom as in `TrainOptions`: runs that began elsewhere are others.
 * @throws {BhBridgeError} `ABORTED` when the question is cancelled; `FILE_UNREADABLE`.
 */
export async function offerToResume({ hash }: ResolvedConfig, out: string, startFrom: string | undefined, terminal: Terminal): Promise<string | undefined> {
  const isTheSame = ({ manifest }: FoundRun) => manifest?.config_hash === hash && manifest.start_from === (startFrom ?? null);
  const same = (await scanRuns(out, noLockHolders)).filter((run) => isTheSame(run) && run.status !== "completed");
  const [found] = unfinishedRuns(await Promise.all(same.map(({ directory }) => findRun(directory, lockHolders))));
  if (!found) return undefined;
  const path = shellQuote(relative(process.cwd(), found.directory) || ".");
  terminal.say(`Unfinished, with the same configuration: ${path} (${found.status})`);
  if (!terminal.canAsk) {
    terminal.say(`This is a new run. To go on with that one:  bh-bridge resume ${path}`);
    return undefined;
  }
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({ message: "Go on with it? No starts a new run", output: process.stderr });
  if (isCancel(answer)) throw new BhBridgeError("ABORTED", "nothing was started");
  return answer ? found.directory : undefined;
}
