import { AsyncLocalStorage } from "node:async_hooks";
import { BhBridgeError } from "../errors.js";

interface Cancellation<Value> {
  signal?: AbortSignal | undefined;
  /** Ends a running call. With `keepsWaiting` the caller gets the call's result; otherwise it is rejected at once. */
  interrupt(): void;
  keepsWaiting?: boolean;
  /** Called once for each abandoned call when it has ended: with its result, or without one if it failed or never began. */
  onAbandoned?: ((value?: Value) => void) | undefined;
}

/** A mutex: one call at a time, in order of arrival. A call that is cancelled while it waits never begins. */
export class CallQueue {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param name describes the call in messages.
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
      this.#last = turn.catch(() => undefined); // a failed call does not block the next; its caller gets the error
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
  /** Describes the task. */
  readonly name: string;
  isOver: boolean;
}

/** Detects calls from code that Python waits for, which would deadlock. */
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

  /** Name of the task that Python waits for, if the caller is part of it. */
  get waitedFor(): string | undefined {
    const waiting = this.#waiting.getStore();
    return waiting?.isOver === false ? waiting.name : undefined;
  }
}
