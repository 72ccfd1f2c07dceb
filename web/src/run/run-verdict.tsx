import type { StepCursor } from "../chart/step-cursor.js";
import { ServedFigure } from "../figure/served-figure.js";

/** The verdict of a run as a picture: which tokens are together and which alone, over the steps. */
export function RunVerdict({ id, turn, cursor }: { id: string; turn: unknown; cursor: StepCursor }) {
  return (
    <section aria-label="Verdict">
      <ServedFigure address={`/api/runs/${id}/figure?name=verdict`} turn={turn} cursor={cursor} height={330} />
    </section>
  );
}
