/** When events for a slow reader are dropped. */
interface Lag<Event> {
  /** Events buffered at most, before any is dropped. */
  readonly maxWaiting: number;
  isDroppable(event: Event): boolean;
}

/** Events buffered for one reader. */
export class EventStream<Event> implements AsyncIterableIterator<Event> {
  #incoming: Event[] = [];
  /** The oldest events in reverse order, since removing the first element of a long array moves all others. */
  #outgoing: Event[] = [];
  readonly #lag: Lag<Event>;
  readonly #onReturn: () => void;
  #wake: (() => void) | undefined;
  #hasEnded = false;

  constructor(lag: Lag<Event>, onReturn: () => void) {
    this.#lag = lag;
    this.#onReturn = onReturn;
  }

  push(event: Event): void {
    if (this.#waiting >= this.#lag.maxWaiting && this.#lag.isDroppable(event)) return;
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

/** The readers of the events of one source. */
export class EventStreams<Event> {
  readonly #open = new Set<EventStream<Event>>();
  readonly #lag: Lag<Event>;
  #isClosed = false;

  constructor(lag: Lag<Event>) {
    this.#lag = lag;
  }

  /** Open a reader of every event from now on. */
  open(): EventStream<Event> {
    const stream: EventStream<Event> = new EventStream(this.#lag, () => this.#open.delete(stream));
    if (this.#isClosed) stream.end();
    else this.#open.add(stream);
    return stream;
  }

  push(event: Event): void {
    for (const stream of this.#open) stream.push(event);
  }

  /** End the open readers. */
  end(): void {
    for (const stream of this.#open) stream.end();
    this.#open.clear();
  }

  /** End the open readers and those opened later. */
  close(): void {
    this.#isClosed = true;
    this.end();
  }
}
