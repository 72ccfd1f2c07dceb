import { relative } from "node:path";
import { pythonOf, type TrainAgainPlan } from "../../compare/train-again.js";
import type { UsablePython } from "../../python/require-packages.js";
import type { Run } from "../../runner/open-run.js";
import type { TrainListener } from "../../runner/train.js";
import { ensurePython } from "../setup/ensure-python.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import type { Terminal } from "../terminal/terminal.js";
import { TrainingDisplay } from "../train/training-display.js";

/** Shows repeated trainings on stderr, one after another. */
export class TrainingAgainDisplay {
  readonly #terminal: Terminal;
  #display: TrainingDisplay | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Announce a training and return its listener. */
  listen(run: Run, until: number): TrainListener {
    this.stop();
    const display = new TrainingDisplay(this.#terminal, until);
    this.#display = display;
    this.#terminal.say(this.#terminal.messageColor.dim(`Training ${relative(process.cwd(), run.directory) || "."} again to step ${until} to compare`));
    return { onPhase: (phase) => display.onPhase(phase), onStart: (started) => display.onStart(started), onEvent: (event) => display.onEvent(event) };
  }

  stop(): void {
    this.#display?.stop();
  }
}

/** A repeated training; `listen` announces each training. */
type TrainingAgain<Result> = (python: UsablePython, options: { signal: AbortSignal; listen: (run: Run, until: number) => TrainListener }) => Promise<Result>;

/** Train steps of a run again with progress on stderr; Ctrl-C stops in order. */
export async function trainAgainInTerminal<Result>(
  { run }: TrainAgainPlan,
  python: string | undefined,
  terminal: Terminal,
  training: TrainingAgain<Result>,
): Promise<Result> {
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping after this step" });
  const found = await ensurePython(pythonOf(run, python), terminal, stop.signal);
  const display = new TrainingAgainDisplay(terminal);
  try {
    return await training(found, { signal: stop.signal, listen: (each, until) => display.listen(each, until) });
  } finally {
    display.stop();
  }
}
