import type { HistoryDocument, OverlayDocument } from "../documents.js";

/** The training steps that either of two histories has recorded, ascending. */
export function stepsOfBoth(first: HistoryDocument, second: HistoryDocument): number[] {
  const stepsOf = ({ steps, states }: HistoryDocument) => steps ?? Array.from({ length: states }, (_, state) => state);
  return [...new Set([...stepsOf(first), ...stepsOf(second)])].sort((a, b) => a - b);
}

type Line = Pick<OverlayDocument["lines"][number], "x" | "y">;

/** The values of two lines, and the first minus the second, at the steps where both have a value. */
export function differenceOf(first: Line, second: Line): { x: number[]; first: number[]; second: number[]; difference: number[] } {
  const ofSecond = new Map(second.x.map((step, at) => [step, second.y[at] ?? null]));
  const found = { x: [] as number[], first: [] as number[], second: [] as number[], difference: [] as number[] };
  first.x.forEach((step, at) => {
    const [ours, theirs] = [first.y[at] ?? null, ofSecond.get(step) ?? null];
    if (ours === null || theirs === null) return;
    found.x.push(step);
    found.first.push(ours);
    found.second.push(theirs);
    found.difference.push(ours - theirs);
  });
  return found;
}
