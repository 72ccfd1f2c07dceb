/** What a reader that lags is spared. */
export interface Lag<Event> {
  /** So many events wait for it. */
  readonly maxWaiting: number;
  /** Whether an event that comes then may be left out. */
  mayLeaveOut(event: Event): boolean;
}

/** Events on their way to one reader. */
export class EventStream<Event> implements AsyncIterableIterator<Event> {
  #incoming: Event[] = [];
  /** The oldest, last first: taking the first of a long array would move all the others. */
  #outgoing: Event[] = [];
  readonly #lag: Lag<Event>;
  readonly #onReturn: () => void;
  #wake: (() => void) | undefined;
  #hasEnded = false;

  /** @param onReturn called when the reader leaves its loop. */
  constructor(lag: Lag<Event>, onReturn: () => void) {
    this.#lag = lag;
    this.#onReturn = onReturn;
  }

  push(event: Event): void {
    if (this.#waiting >= this.#lag.maxWaiting && this.#lag.mayLeaveOut(event)) return;
    this.#incoming.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    while (this.#waiting === 0 && !this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#outgoing.length === 0) [this.#outgoing, this.#incoming] = [this.#incoming.reverse(), []];
    const event = this.#outgoing.pop();
    return event ? { done: false, value: event } : { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
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
