import { pythonOf, type TrainAgainPlan } from "../../compare/train-again.js";
import type { UsablePython } from "../../python/resolve-python.js";
import type { Run } from "../../runner/open-run.js";
import type { TrainListener } from "../../runner/train.js";
import { ensurePython } from "../setup/ensure-python.js";
import { stopOnSignal } from "../terminal/stop-on-signal.js";
import type { Terminal } from "../terminal/terminal.js";
import { TrainingAgainDisplay } from "./training-again-display.js";

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
