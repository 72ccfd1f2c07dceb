import type { StepCursor, TokenChanges } from "../../shared/step-cursor.js";
import type { ServedRunDocument } from "../documents.js";
import { ServedFigure } from "../figure/served-figure.js";

const room = { height: (width: number) => (width < 400 ? 310 : 367), title: 76, caption: 330 };

/** The verdict of a run as a picture: which tokens are together and which alone, over the steps. */
export function RunVerdict({ run, cursor, changes }: { run: ServedRunDocument; cursor: StepCursor; changes: TokenChanges }) {
  const hasSteps = run.figures.length > 0 && (run.steps?.done ?? 0) > 0;
  if (!hasSteps && run.status === "running") return <VerdictPlace />;
  if (!hasSteps) return null;
  if (!run.figures.includes("verdict")) {
    return (
      <p class="note">
        This history is too long to draw the verdict here. Draw it with <code>bh-bridge report {run.run} --figures DIR</code>
      </p>
    );
  }
  return (
    <section aria-label="Verdict">
      <h2 class="visually-hidden">Verdict</h2>
      <ServedFigure address={`/api/runs/${run.id}/figure?name=verdict`} turn={run.steps?.done} cursor={cursor} changes={changes} room={room} />
    </section>
  );
}

/** The place of the verdict until a training has taken its first steps. */
function VerdictPlace() {
  return (
    <section aria-label="Verdict">
      <h2 class="visually-hidden">Verdict</h2>
      <figure class="panel served-figure">
        <h3>Waiting for the first steps …</h3>
        <div style={{ minHeight: `${room.height(window.innerWidth)}px` }} />
        <figcaption style={{ minHeight: "62px" }} />
      </figure>
    </section>
  );
}
