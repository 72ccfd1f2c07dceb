import { EventStreams } from "../bridge/event-streams.js";
import type { TrialEvent } from "./trial-event.js";

/** So many events wait for a reader that lags; of the steps that come then it gets none. */
const maxWaiting = 1024;

/** Many runs under way. Iterate over it to follow the trials; it goes on whether somebody does or not. */
export class ManyRuns<Document> implements AsyncIterable<TrialEvent> {
  /** What came out of them; rejects as the function says that began them. */
  readonly result: Promise<Document>;
  readonly #streams = new EventStreams<TrialEvent>({ maxWaiting, mayLeaveOut: ({ kind }) => kind === "step" });

  /** @internal */
  constructor(conduct: (tell: (event: TrialEvent) => void) => Promise<Document>) {
    this.result = conduct((event) => this.#streams.push(event));
    const close = () => this.#streams.close();
    this.result.then(close, close); // whoever iterates is told of a failure at the end of its loop
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrialEvent, void> {
    yield* this.#streams.open();
    await this.result;
  }
}
