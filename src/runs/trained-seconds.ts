import type { TrainEvent } from "../protocol/events.js";

/** Seconds of training that the events of a run tell of, without the time between an end and its resumption. */
export function trainedSeconds(events: readonly TrainEvent[]): number {
  let seconds = 0;
  let previous: TrainEvent | undefined;
  for (const event of events) {
    if (previous && event.type !== "resumed") seconds += Math.max(0, event.wall - previous.wall);
    previous = event;
  }
  return seconds;
}
