import { relative } from "node:path";
import { pythonOf, type TrainAgainPlan } from "../../compare/train-again.js";
import type { UsablePython } from "../../python/resolve-python.js";
import type { TrainListener } from "../../runner/train.js";
import { ensurePython } from "../setup/ensure-python.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import type { Terminal } from "../terminal/terminal.js";
import { TrainingDisplay } from "../train/training-display.js";

/** Trains again, with the interpreter that was found. */
type TrainingAgain<Result> = (python: UsablePython, options: { signal: AbortSignal }, listener: TrainListener) => Promise<Result>;

/** Train steps of a run again as the program does it: progress on stderr, and an end in order on Ctrl-C. */
export async function trainAgainInTerminal<Result>(
  { run, until }: TrainAgainPlan,
  python: string | undefined,
  terminal: Terminal,
  training: TrainingAgain<Result>,
): Promise<Result> {
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping after this step" });
  const found = await ensurePython(pythonOf(run, python), terminal, stop.signal);
  terminal.say(terminal.messageColor.dim(`Trains ${relative(process.cwd(), run.directory) || "."} again to step ${until}, and compares`));
  const display = new TrainingDisplay(terminal, until);
  try {
    return await training(
      found,
      { signal: stop.signal },
      {
        onPhase: (phase) => display.onPhase(phase),
        onStart: (started) => display.onStart(started),
        onEvent: (event) => display.onEvent(event),
      },
    );
  } finally {
    display.stop();
  }
}
