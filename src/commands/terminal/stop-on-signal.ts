import { exitCodes } from "../../errors.js";
import type { Terminal } from "./terminal.js";

/** Messages for the user who interrupts a command. */
interface SignalWords {
  /** Printed on the first signal: "Stopping the analysis". */
  stopping(): string;
  /** Printed on the second signal, before the program ends. */
  last?(): string | undefined;
}

const codes = { SIGINT: exitCodes.sigint, SIGTERM: exitCodes.sigterm } as const;
const again = { SIGINT: "Press Ctrl-C again", SIGTERM: "Send the signal again" } as const;

/** Stop a command in order on the first signal and at once on the second. The exit code is the signal's in both cases. Disposing restores the default handlers. */
export function stopOnSignal(terminal: Terminal, { stopping, last }: SignalWords): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  // Not `once`: execa ends the process if no other listener is registered while this one runs.
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
