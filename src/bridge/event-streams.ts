/** What a reader that lags is spared. */
interface Lag<Event> {
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

/** The readers of the events of one source. */
export class EventStreams<Event> {
  readonly #open = new Set<EventStream<Event>>();
  readonly #lag: Lag<Event>;
  #isClosed = false;

  constructor(lag: Lag<Event>) {
    this.#lag = lag;
  }

  /** A reader of every event from now on. */
  open(): EventStream<Event> {
    const stream: EventStream<Event> = new EventStream(this.#lag, () => this.#open.delete(stream));
    if (this.#isClosed) stream.end();
    else this.#open.add(stream);
    return stream;
  }

  push(event: Event): void {
    for (const stream of this.#open) stream.push(event);
  }

  /** Tell the present readers that nothing more comes. */
  end(): void {
    for (const stream of this.#open) stream.end();
    this.#open.clear();
  }

  /** As `end`, for those who come later as well. */
  close(): void {
    this.#isClosed = true;
    this.end();
  }
}
