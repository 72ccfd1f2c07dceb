import type { Trainer } from "../../bridge/trainer.js";
import type { KeyActions } from "../terminal/keys.js";
import type { Terminal } from "../terminal/terminal.js";

/** What single keys do while a training goes on. */
export function trainingKeys(terminal: Terminal, trainer: Pick<Trainer, "requestCheckpoint">): KeyActions {
  return {
    h: () => terminal.say("Keys: s checkpoint now, q stop after this step with a checkpoint (as Ctrl-C), h this help"),
    s: () => {
      trainer.requestCheckpoint();
      terminal.say("Saving a checkpoint after this step");
    },
    q: () => process.kill(process.pid, "SIGINT"),
  };
}
