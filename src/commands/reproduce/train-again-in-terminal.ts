import { relative } from "node:path";
import { pythonOf, type TrainAgainPlan } from "../../compare/train-again.js";
import type { UsablePython } from "../../python/require-packages.js";
import type { Run } from "../../runner/open-run.js";
import type { TrainListener } from "../../runner/train.js";
import { ensurePython } from "../setup/ensure-python.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import type { Terminal } from "../terminal/terminal.js";
import { TrainingDisplay } from "../train/training-display.js";

/** Shows trainings that are done again, one after the other, on stderr. */
export class TrainingAgainDisplay {
  readonly #terminal: Terminal;
  #display: TrainingDisplay | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Say which run is trained again, and to which step; what to tell of it. */
  listen(run: Run, until: number): TrainListener {
    this.stop();
    const display = new TrainingDisplay(this.#terminal, until);
    this.#display = display;
    this.#terminal.say(this.#terminal.messageColor.dim(`Trains ${relative(process.cwd(), run.directory) || "."} again to step ${until}, and compares`));
    return {
      onPhase: (phase) => display.onPhase(phase),
      onStart: (started) => display.onStart(started),
      onEvent: (event) => display.onEvent(event),
    };
  }

  stop(): void {
    this.#display?.stop();
  }
}

/** Trains again, with the interpreter that was found; `listen` shows a training that is about to begin. */
type TrainingAgain<Result> = (python: UsablePython, options: { signal: AbortSignal; listen: (run: Run, until: number) => TrainListener }) => Promise<Result>;

/** Train steps of a run again as the program does it: progress on stderr, and an end in order on Ctrl-C. */
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
