import type { TrainEvent } from "../protocol/events.js";
import { isCoalescible } from "./coalescible.js";

/** Events that wait for their reader; each takes some 300 bytes, so that a reader that has stopped reading costs 20 MB and no more. */
export const maxWaitingEvents = 65_536;

/** Events on their way to one reader. When it lags, events of steps are left out; no log, evaluation or save ever is. */
export class EventStream implements AsyncIterableIterator<TrainEvent> {
  #incoming: TrainEvent[] = [];
  /** The oldest, last first: taking the first of a long array would move all the others. */
  #outgoing: TrainEvent[] = [];
  readonly #onReturn: () => void;
  #wake: (() => void) | undefined;
  #hasEnded = false;

  /** @param onReturn called when the reader leaves its loop. */
  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  push(event: TrainEvent): void {
    if (this.#waiting >= maxWaitingEvents && isCoalescible(event)) return;
    this.#incoming.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<TrainEvent, undefined>> {
    while (this.#waiting === 0 && !this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#outgoing.length === 0) [this.#outgoing, this.#incoming] = [this.#incoming.reverse(), []];
    const event = this.#outgoing.pop();
    return event ? { done: false, value: event } : { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<TrainEvent, undefined>> {
    this.#onReturn();
    this.end();
    this.#incoming = [];
    this.#outgoing = [];
    return { done: true, value: undefined };
  }

  get #waiting(): number {
    return this.#incoming.length + this.#outgoing.length;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
