import { AsyncLocalStorage } from "node:async_hooks";

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
