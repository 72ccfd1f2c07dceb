import type { TrialEvent } from "./trial-event.js";

/** Many runs under way. Iterate over it to follow the trials; it goes on whether somebody does or not. */
export class ManyRuns<Document> implements AsyncIterable<TrialEvent> {
  /** What came out of them; rejects as the function says that began them. */
  readonly result: Promise<Document>;
  readonly #readers = new Set<EventQueue>();

  /** @internal */
  constructor(conduct: (tell: (event: TrialEvent) => void) => Promise<Document>) {
    this.result = conduct((event) => {
      for (const reader of this.#readers) reader.push(event);
    });
    const end = () => {
      for (const reader of this.#readers) reader.end();
    };
    this.result.then(end, end); // whoever iterates is told of a failure at the end of its loop
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrialEvent, void> {
    const queue = new EventQueue();
    this.#readers.add(queue);
    try {
      for (let event = await queue.next(); event; event = await queue.next()) yield event;
      await this.result;
    } finally {
      this.#readers.delete(queue);
    }
  }
}

/** So many steps wait for a reader that lags; of those that come then it gets none. */
const maxWaiting = 1024;

/** Events on their way to one reader. */
class EventQueue {
  readonly #waiting: TrialEvent[] = [];
  #wake: (() => void) | undefined;
  #hasEnded = false;

  push(event: TrialEvent): void {
    if (event.kind === "step" && this.#waiting.length >= maxWaiting) return;
    this.#waiting.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async next(): Promise<TrialEvent | undefined> {
    while (this.#waiting.length === 0 && !this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#waiting.shift();
  }
}
