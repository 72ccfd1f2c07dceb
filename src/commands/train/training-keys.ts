import type { Trainer } from "../../bridge/trainer.js";
import { BhBridgeError } from "../../errors.js";
import type { PageBeside } from "../serve/page-beside.js";
import type { KeyActions } from "../terminal/keys.js";
import type { Terminal } from "../terminal/terminal.js";

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
