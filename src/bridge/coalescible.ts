import { coalescibleEvents, type TrainEvent } from "../protocol/events.js";

const types: ReadonlySet<string> = new Set(coalescibleEvents);

/** Whether an event may be left out for a reader that lags. */
export function isCoalescible({ type }: TrainEvent): boolean {
  return types.has(type);
}
