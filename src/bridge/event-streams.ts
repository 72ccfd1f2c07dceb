import type { TrainEvent } from "../protocol/events.js";
import { EventStream } from "./event-stream.js";

/** The readers of the events of one trainer. */
export class EventStreams {
  readonly #open = new Set<EventStream>();
  #isClosed = false;

  /** A reader of every event from now on. */
  open(): EventStream {
    const stream: EventStream = new EventStream(() => this.#open.delete(stream));
    if (this.#isClosed) stream.end();
    else this.#open.add(stream);
    return stream;
  }

  push(event: TrainEvent): void {
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
