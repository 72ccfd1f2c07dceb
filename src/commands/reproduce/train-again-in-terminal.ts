import { relative } from "node:path";
import type { UsablePython } from "../../python/require-packages.js";
import type { ModelAtOptions, ModelAtStep } from "../../runner/model-at.js";
import type { TrainListener } from "../../runner/train.js";
import { pythonOf, type TrainAgainPlan, type TrainedBefore } from "../../runner/train-again.js";
import { ensurePython } from "../setup/ensure-python.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import type { Terminal } from "../terminal/terminal.js";
import { TrainingDisplay } from "../train/training-display.js";

/** Shows repeated trainings on stderr, one after another. */
export class TrainingAgainDisplay implements Disposable {
  readonly #terminal: Terminal;
  #display: TrainingDisplay | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Announce a training and return its listener. */
  listen(run: TrainedBefore, until: number, purpose = "to compare"): TrainListener {
    this[Symbol.dispose]();
    const display = new TrainingDisplay(this.#terminal, until);
    this.#display = display;
    this.#terminal.say(this.#terminal.messageColor.dim(`Training ${relative(process.cwd(), run.directory) || "."} again to step ${until} ${purpose}`));
    return { onPhase: (phase) => display.onPhase(phase), onStart: (started) => display.onStart(started), onEvent: (event) => display.onEvent(event) };
  }

  [Symbol.dispose](): void {
    this.#display?.stop();
  }
}

/** A repeated training; `listen` announces each training. */
type TrainingAgain<Result> = (
  python: UsablePython,
  options: { signal: AbortSignal; listen: (run: TrainedBefore, until: number) => TrainListener },
) => Promise<Result>;

/** Train steps of a run again with progress on stderr; Ctrl-C stops in order. */
export async function trainAgainInTerminal<Result>(
  { run }: TrainAgainPlan,
  python: string | undefined,
  terminal: Terminal,
  training: TrainingAgain<Result>,
): Promise<Result> {
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping after this step" });
  const found = await ensurePython(pythonOf(run, python), terminal, stop.signal);
  using display = new TrainingAgainDisplay(terminal);
  return await training(found, { signal: stop.signal, listen: (each, until) => display.listen(each, until) });
}

/** Obtain the model of a step, with progress on stderr where it is trained again; Ctrl-C stops in order. @throws {BhBridgeError} as `modelAt`. */
export async function modelAtInTerminal(
  run: TrainedBefore,
  { step, optimizer, corpus, python }: ModelAtOptions & { step: number },
  terminal: Terminal,
): Promise<ModelAtStep> {
  const { planModelAt, obtainModel } = await import("../../runner/model-at.js");
  const plan = await planModelAt(run, { step, optimizer, corpus });
  using display = new TrainingAgainDisplay(terminal);
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping after this step" });
  const listener = plan.source.from === "replay" ? display.listen(run, plan.source.until, `for the model after step ${step}`) : {};
  return await obtainModel(plan, () => ensurePython(pythonOf(run, python), terminal, stop.signal), { signal: stop.signal }, listener);
}
