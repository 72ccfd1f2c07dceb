import { EventStream, type Lag } from "./event-stream.js";

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
