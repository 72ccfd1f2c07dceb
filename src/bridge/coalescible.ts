import { coalescibleEvents, type TrainEvent } from "../protocol/events.js";

const types: ReadonlySet<string> = new Set(coalescibleEvents);

/** Whether an event may be left out for a reader that lags. */
export function isCoalescible({ type }: TrainEvent): boolean {
  return types.has(type);
}

/** Events of a training that wait for their reader; each takes some 300 bytes, so that a reader that has stopped reading costs 20 MB and no more. */
export const maxWaitingEvents = 65_536;
