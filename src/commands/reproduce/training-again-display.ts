import { relative } from "node:path";
import type { Run } from "../../runner/open-run.js";
import type { TrainListener } from "../../runner/train.js";
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
