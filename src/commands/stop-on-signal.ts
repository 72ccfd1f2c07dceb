import { exitCodes } from "../errors.js";

/** A signal that aborts on the first Ctrl-C or SIGTERM; disposing of it gives the signals their usual effect back. */
export interface StopOnSignal extends Disposable {
  readonly signal: AbortSignal;
}

const codes = { SIGINT: exitCodes.sigint, SIGTERM: exitCodes.sigterm } as const;

/**
 * Let a command end in order when it is interrupted: the first signal aborts, the second one has its usual effect.
 * However the command then ends, the exit code is the signal's.
 */
export function stopOnSignal(): StopOnSignal {
  const controller = new AbortController();
  const release = () => {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  };
  // Not `once`: execa ends the process on a signal that nobody else listens to, and looks at that while this runs.
  const onSignal = (name: keyof typeof codes) => {
    if (controller.signal.aborted) {
      release();
      process.kill(process.pid, name);
      return;
    }
    process.once("exit", () => {
      process.exitCode = codes[name];
    });
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return { signal: controller.signal, [Symbol.dispose]: release };
}
