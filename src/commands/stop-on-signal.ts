import { exitCodes } from "../errors.js";

/** A signal that aborts on the first Ctrl-C or SIGTERM; disposing of it gives the signals their usual effect back. */
export interface StopOnSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Let a command end in order when it is interrupted: the first signal aborts, the second one has its usual effect.
 * However the command then ends, the exit code is the signal's.
 */
export function stopOnSignal(): StopOnSignal {
  const controller = new AbortController();
  const codes = { SIGINT: exitCodes.sigint, SIGTERM: exitCodes.sigterm } as const;
  const stop = (name: keyof typeof codes) => {
    controller.abort();
    process.once("exit", () => {
      process.exitCode = codes[name];
    });
  };
  const onInterrupt = () => stop("SIGINT");
  const onTerminate = () => stop("SIGTERM");
  process.once("SIGINT", onInterrupt);
  process.once("SIGTERM", onTerminate);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off("SIGINT", onInterrupt);
      process.off("SIGTERM", onTerminate);
    },
  };
}
