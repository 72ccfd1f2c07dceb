import type { TrainEvent } from "../protocol/events.js";
import { isCoalescible } from "./coalescible.js";

/** Events that wait for their reader; each takes some 300 bytes, so that a reader that has stopped reading costs 20 MB and no more. */
export const maxWaitingEvents = 65_536;

/** Events on their way to one reader. When it lags, events of steps are left out; no log, evaluation or save ever is. */
export class EventStream implements AsyncIterableIterator<TrainEvent> {
  readonly #waiting: TrainEvent[] = [];
  readonly #onReturn: () => void;
  #wake: (() => void) | undefined;
  #hasEnded = false;

  /** @param onReturn called when the reader leaves its loop. */
  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  push(event: TrainEvent): void {
    if (this.#waiting.length >= maxWaitingEvents && isCoalescible(event)) return;
    this.#waiting.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<TrainEvent, undefined>> {
    while (this.#waiting.length === 0 && !this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const event = this.#waiting.shift();
    return event ? { done: false, value: event } : { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<TrainEvent, undefined>> {
    this.#onReturn();
    this.end();
    this.#waiting.length = 0;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
