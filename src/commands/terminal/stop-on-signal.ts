import { exitCodes } from "../../errors.js";
import type { Terminal } from "./terminal.js";

/** A signal that aborts on the first Ctrl-C or SIGTERM; disposing of it gives the signals their usual effect back. */
interface StopOnSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** What somebody who interrupts a command is told. */
interface SignalWords {
  /** What the first signal begins, said at once: "Stopping the analysis". */
  stopping(): string;
  /** What is owed to somebody who does not wait for that. */
  last?(): string | undefined;
}

const codes = { SIGINT: exitCodes.sigint, SIGTERM: exitCodes.sigterm } as const;
const again = { SIGINT: "Press Ctrl-C again", SIGTERM: "Send the signal again" } as const;

/**
 * Let a command end in order when it is interrupted: the first signal aborts, the second one ends the program at once. Each says what it does.
 * However the command then ends, the exit code is the signal's.
 */
export function stopOnSignal(terminal: Terminal, { stopping, last }: SignalWords): StopOnSignal {
  const controller = new AbortController();
  // Not `once`: execa ends the process on a signal that nobody else listens to, and looks at that while this runs.
  const onSignal = (name: keyof typeof codes) => {
    if (controller.signal.aborted) {
      const words = last?.();
      terminal.redraw([]);
      if (words !== undefined) terminal.say(words);
      process.exit(codes[name]);
    }
    process.prependOnceListener("exit", () => {
      process.exitCode = codes[name];
    });
    terminal.say(`${stopping()}. ${again[name]} to end at once`);
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
