import { AsyncLocalStorage } from "node:async_hooks";
import { BhBridgeError } from "../errors.js";

/** What to do when a call is cancelled. */
interface Cancellation<Value> {
  signal?: AbortSignal | undefined;
  /** Ends the call that has begun. With `keepsWaiting` the caller gets whatever the call then comes to; without, it is rejected at once. */
  interrupt(): void;
  keepsWaiting?: boolean;
  /** Told once of every call that nobody waits for any more, when it is over: with what it came to, or with nothing when it failed or never began. */
  onAbandoned?: ((value?: Value) => void) | undefined;
}

/** A mutex: one call at a time, in the order in which they came. A cancelled call that waits is never begun. */
export class CallQueue {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param name of the call, for the message: what it does.
   * @throws {BhBridgeError} `ABORTED` by the signal, or what the task throws.
   */
  async run<Value>(name: string, task: () => Promise<Value>, { signal, interrupt, keepsWaiting, onAbandoned }: Cancellation<Value>): Promise<Value> {
    const aborted = () => new BhBridgeError("ABORTED", `${name} was cancelled`, { cause: signal?.reason });
    if (signal?.aborted) {
      onAbandoned?.();
      throw aborted();
    }
    return new Promise((resolve, reject) => {
      let hasBegun = false;
      const onAbort = () => {
        if (hasBegun) interrupt();
        else onAbandoned?.();
        if (!hasBegun || !keepsWaiting) reject(aborted());
      };
      const onEnd = (value?: Value) => {
        if (hasBegun && signal?.aborted && !keepsWaiting) onAbandoned?.(value);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      const turn = this.#last.then(async () => {
        if (signal?.aborted) throw aborted();
        hasBegun = true;
        try {
          return await task();
        } finally {
          signal?.removeEventListener("abort", onAbort);
        }
      });
      this.#last = turn.catch(() => undefined); // a failed call does not hold up the next; its caller has the error
      turn.then(
        (value) => {
          resolve(value);
          onEnd(value);
        },
        (error: unknown) => {
          reject(error as Error);
          onEnd();
        },
      );
    });
  }
}

interface Waiting {
  /** What is waited for, in words. */
  readonly name: string;
  isOver: boolean;
}

/** Knows which code Python is waiting for: a call from there would wait for Python, and Python for the call. */
export class DeadlockGuard {
  readonly #waiting = new AsyncLocalStorage<Waiting>();

  /** Run a task whose end Python waits for. */
  async whileWaitedFor<Value>(name: string, task: () => Promise<Value>): Promise<Value> {
    const waiting = { name, isOver: false };
    try {
      return await this.#waiting.run(waiting, task);
    } finally {
      waiting.isOver = true;
    }
  }

  /** The name of the task that Python waits for, when this is called from within it. */
  get waitedFor(): string | undefined {
    const waiting = this.#waiting.getStore();
    return waiting?.isOver === false ? waiting.name : undefined;
  }
}
