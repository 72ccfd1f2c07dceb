import type { HistoryDocument } from "../documents.js";

/** The training steps that either of two histories has recorded, ascending. */
export function stepsOfBoth(first: HistoryDocument, second: HistoryDocument): number[] {
  const stepsOf = ({ steps, states }: HistoryDocument) => steps ?? Array.from({ length: states }, (_, state) => state);
  return [...new Set([...stepsOf(first), ...stepsOf(second)])].sort((a, b) => a - b);
}
