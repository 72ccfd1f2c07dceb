import type { StepCursor } from "../chart/step-cursor.js";
import { ServedFigure } from "../figure/served-figure.js";

const room = { height: (width: number) => (width < 400 ? 310 : 367), title: 76, caption: 330 };

/** The verdict of a run as a picture: which tokens are together and which alone, over the steps. */
export function RunVerdict({ id, turn, cursor }: { id: string; turn: unknown; cursor: StepCursor }) {
  return (
    <section aria-label="Verdict">
      <ServedFigure address={`/api/runs/${id}/figure?name=verdict`} turn={turn} cursor={cursor} room={room} />
    </section>
  );
}
