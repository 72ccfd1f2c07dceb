import { isCoalescible, maxWaitingEvents } from "../bridge/coalescible.js";
import { EventStreams } from "../bridge/event-streams.js";
import type { TrainEvent } from "../protocol/events.js";

/** A training under way. Await it for what comes out, or iterate over it to follow its events; it goes on whether somebody does or not. */
export type FollowedTraining<Result> = Promise<Result> & AsyncIterable<TrainEvent>;

/**
 * Let the events of a training be followed. A reader that lags misses events of steps, as with `trainer.events()`.
 *
 * @param conduct is given what it tells every event to. How it fails is how the promise rejects, and how every loop over the events ends.
 */
export function followTraining<Result>(conduct: (tell: (event: TrainEvent) => void) => Promise<Result>): FollowedTraining<Result> {
  const streams = new EventStreams<TrainEvent>({ maxWaiting: maxWaitingEvents, mayLeaveOut: isCoalescible });
  const result = conduct((event) => streams.push(event));
  const close = () => streams.close();
  async function* events(): AsyncGenerator<TrainEvent, void> {
    result.then(close, close);
    yield* streams.open();
    await result;
  }
  return Object.assign(result, { [Symbol.asyncIterator]: events });
}
