import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
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
import type { TrainedRun, TrainListener } from "../../runner/train.js";
import { type Pitfall, pitfallsOf } from "../../runner/train-result.js";
import { hasTakenStep } from "../../runs/read-events.js";
import { type FoundRun, findRun, noLockHolders, scanRuns, unfinishedRuns } from "../../runs/scan-runs.js";
import { shellQuote } from "../../text/escaping.js";
import type { PageBeside } from "../serve/page-beside.js";
import { ensurePython } from "../setup/ensure-python.js";
import { FailedRun } from "../terminal/shown-error.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import type { Terminal } from "../terminal/terminal.js";
import { formatStart, pitfallLines, showResult } from "./format-result.js";
import { TrainingDisplay } from "./training-display.js";

/** Print the pitfalls of a configuration on stderr. */
export function reportPitfalls(traps: readonly Pitfall[], terminal: Terminal): void {
  if (traps.length === 0) return;
  terminal.say(["Pitfalls of this configuration, each with the setting that corrects it:", ...pitfallLines(traps, terminal.messageColor)].join("\n"));
}

/** Events that call the user: problems, and the end of a training. */
const hookedEvents: readonly TrainEventType[] = ["alert", "checkpoint_rejected", "stopped", "train_end"];

/**
 * Run a shell command at every notable event, with the event as JSON on its stdin, without delaying the training. It can be a webhook:
 * `curl -sS --json @- https://…`.
 * @param say receives the command's stderr and its failures, which do not affect the training.
 */
export function eventHook(command: string, say: (message: string) => void): (event: TrainEvent) => void {
  return (event) => {
    if (!hookedEvents.includes(event.type)) return;
    const child = spawn(command, { shell: true, stdio: ["pipe", "ignore", "pipe"] });
    child.on("error", (error) => say(`--on-event failed to start: ${error.message}`));
    child.on("exit", (code) => code !== 0 && say(`--on-event failed with exit code ${code} at event ${event.type}`));
    child.stderr.setEncoding("utf8").on("data", (text: string) => say(text.trimEnd()));
    child.stdin.on("error", () => undefined); // a command need not read its input
    child.stdin.end(`${JSON.stringify(event)}\n`);
  };
}

/** A line with the command that resumes a run; undefined before its first step. */
export function resumeLine(run: string): string | undefined {
  return hasTakenStep(run) ? `Resume with:  bh-bridge resume ${shellQuote(relative(process.cwd(), run) || ".")}` : undefined;
}

export function trainingKeys(terminal: Terminal, trainer: Pick<Trainer, "requestCheckpoint">, page: PageBeside): KeyActions {
  return {
    h: () => terminal.say("Keys: s save a checkpoint, o open the page, q stop after this step with a checkpoint (as Ctrl-C), h show this help"),
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

export type Training = (python: UsablePython, options: { signal: AbortSignal }, listener: TrainListener) => Promise<TrainedRun>;

interface RunInTerminalOptions {
  /** Shell command to run at alerts and at the end. */
  onEvent?: string | undefined;
  /** Directory of the run that is taken up. */
  resumed?: string;
  /** The page that the key `o` opens. */
  page: PageBeside;
}

const stopping = {
  start: "Stopping",
  training: "Stopping after this step, with a checkpoint",
  analysis: "Stopping the analysis; the training is saved",
} as const;

/** Train with progress on stderr, and print the result or one document on stdout. */
export async function runInTerminal(
  resolved: ResolvedConfig,
  terminal: Terminal,
  training: Training,
  { onEvent, resumed, page }: RunInTerminalOptions,
): Promise<void> {
  let phase: keyof typeof stopping = "start";
  let directory = resumed;
  let keys: Disposable | undefined;
  const howToResume = () => (directory === undefined ? undefined : resumeLine(directory));
  using stop = stopOnSignal(terminal, { stopping: () => stopping[phase], last: howToResume });
  const { config } = resolved;
  const python = await ensurePython(pythonOf(resolved), terminal, stop.signal);
  terminal.say(formatChanges(resolved, terminal.messageColor));
  reportPitfalls(pitfallsOf(config), terminal);
  if (config.engine.name === "fast" && config.engine.compile !== "auto") terminal.say("engine.compile has no effect: omit it");
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
    const next = result.status === "completed" ? analyzeLine(result.run) : howToResume();
    if (next !== undefined) terminal.say(next);
    if (stop.signal.aborted) process.exitCode = exitCodes.sigint;
  } catch (error) {
    keys?.[Symbol.dispose]();
    display.stop();
    const next = howToResume();
    throw next === undefined || terminal.quiet ? error : new FailedRun(error, next);
  }
}

function pythonOf({ config, sources }: ResolvedConfig): FindPythonOptions {
  if (!config.python) return {};
  return sources.get("python") === "--python" ? { python: config.python } : { config: config.python };
}

function resumeLines({ manifest, fromStep, recordedStep, rejectedCheckpoints }: StartedRun): string[] {
  const resume = manifest.resumes.at(-1);
  if (!resume) return [];
  const twice = recordedStep > fromStep ? `; steps ${fromStep + 1} to ${recordedStep} are computed again and ${resume.exact ? "compared" : "replaced"}` : "";
  return [
    ...rejectedCheckpoints.map((problem) => `Checkpoint rejected: ${problem}`),
    ...resume.differences.map((difference) => `Different environment: ${difference}`),
    `Resumes  from ${fromStep === 0 ? "the start" : `the checkpoint of step ${fromStep}`}${twice}`,
  ];
}

function analyzeLine(run: string): string {
  return `Analyse it with:  bh-bridge analyze ${shellQuote(relative(process.cwd(), run) || ".")}`;
}

/** More threads do not speed up matrices of this size. */
const usefulThreads = 4;

/** A hint about too many CPU threads; undefined if they are few or do not matter. */
function threadsHint({ device, threads }: { device: string; threads: number }): string | undefined {
  if (device !== "cpu" || threads <= usefulThreads) return undefined;
  return `Training on ${threads} CPU threads: a model this small gains little beyond ${usefulThreads}, and loses much if other programs use the cores. Measure it:  bh-bridge doctor --measure`;
}

/** Print the result of an equal, complete run. @returns whether there is one. */
export async function reportEqualRun(resolved: ResolvedConfig, where: { out: string; startFrom?: string }, terminal: Terminal): Promise<boolean> {
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping" });
  const { signal } = stop;
  const directory = await equalRunOf(resolved, () => ensurePython(pythonOf(resolved), terminal, signal), { ...where, signal });
  if (directory === undefined) return false;
  terminal.say(`Already complete, with the same configuration, text, device and threads: ${relative(process.cwd(), directory) || "."}`);
  const run = await openRun(directory);
  showResult(await run.result({ signal }), run.config, terminal);
  return true;
}

/**
 * The newest unfinished run of the same configuration, if a user at a terminal wants to resume it. Otherwise it is reported, and a new run starts.
 * @param startFrom as in `TrainOptions`: runs with another start are different.
 * @throws {BhBridgeError} `ABORTED` if the question is cancelled; `FILE_UNREADABLE`.
 */
export async function offerToResume({ hash }: ResolvedConfig, out: string, startFrom: string | undefined, terminal: Terminal): Promise<string | undefined> {
  const isTheSame = ({ manifest }: FoundRun) => manifest?.config_hash === hash && manifest.start_from === (startFrom ?? null);
  const same = (await scanRuns(out, noLockHolders)).filter((run) => isTheSame(run) && run.status !== "completed");
  const [found] = unfinishedRuns(await Promise.all(same.map(({ directory }) => findRun(directory, lockHolders))));
  if (!found) return undefined;
  const path = shellQuote(relative(process.cwd(), found.directory) || ".");
  terminal.say(`Unfinished run of the same configuration: ${path} (${found.status})`);
  if (!terminal.canAsk) {
    terminal.say(`Starting a new run. To resume that one:  bh-bridge resume ${path}`);
    return undefined;
  }
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({ message: "Resume it? No starts a new run", output: process.stderr });
  if (isCancel(answer)) throw new BhBridgeError("ABORTED", "nothing was started");
  return answer ? found.directory : undefined;
}

type KeyActions = Readonly<Record<string, () => void>>;

const ctrl = { "\u0003": "SIGINT", "\u001a": "SIGTSTP", "\u001c": "SIGQUIT" } as const;

/**
 * Run actions on single keys while a command runs in the foreground of a terminal. Ctrl-C, Ctrl-Z and Ctrl-\ keep their usual effect. In the background no
 * key is read, since reading would stop the process. Disposing restores the terminal.
 */
function listenToKeys(terminal: Terminal, actions: KeyActions): Disposable {
  const { stdin } = process;
  if (!terminal.canAsk || !isInForeground()) return { [Symbol.dispose]: () => undefined };
  const onData = (typed: Buffer) => {
    for (const key of typed.toString()) {
      if (key in ctrl) press(ctrl[key as keyof typeof ctrl]);
      else actions[key.toLowerCase()]?.();
    }
  };
  const press = (signal: (typeof ctrl)[keyof typeof ctrl]) => {
    if (signal === "SIGTSTP") leave();
    process.kill(0, signal); // the whole process group, as the terminal does it
  };
  const listen = () => {
    stdin.off("data", onData).pause();
    if (!isInForeground()) return;
    stdin.setRawMode(false).setRawMode(true); // both calls, because a shell may have changed the mode
    stdin.on("data", onData).resume().unref();
  };
  const leave = () => {
    stdin.off("data", onData).pause();
    if (isInForeground()) stdin.setRawMode(false);
  };
  listen();
  process.on("SIGCONT", listen);
  return {
    [Symbol.dispose]() {
      process.off("SIGCONT", listen);
      leave();
    },
  };
}

/** Whether this process receives the terminal's keys, that is, does not run in the background. */
function isInForeground(): boolean {
  try {
    if (process.platform !== "linux") return execFileSync("ps", ["-o", "stat=", "-p", String(process.pid)], { encoding: "utf8" }).includes("+");
    const [, , group, , , terminalGroup] = readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return group === terminalGroup;
  } catch {
    return false;
  }
}
