import type { Retraining } from "../../../src/report/retraining.js";
import TrainingWorker from "../../shared/portable/worker.js?worker";
import { TrainAgain } from "../again/train-again.js";
import type { ServedRunDocument } from "../documents.js";
import { getBytes, getDocument } from "../server.js";

/** Steps that take a browser half a minute. */
const usualSteps = 200;
const mostSteps = 2000;

/** The first steps of a run of engine portable, trained again in the browser; nothing for other engines. */
export function RunAgain({ run }: { run: ServedRunDocument }) {
  if (!run.retraining || run.status === "running") return null;
  const { steps, obstacle } = run.retraining;
  const most = Math.min(steps, mostSteps);
  return (
    <section aria-label="Train it again here">
      <h2>Train it again here</h2>
      {obstacle === null ? (
        <>
          <p class="note">
            Trains the first steps again in this browser, and compares every bit of the embedding with the recorded one. Engine portable computes the same bits
            here.
          </p>
          <TrainAgain
            most={most}
            usual={Math.min(most, usualSteps)}
            retraining={(until) => getDocument<Retraining>(`/api/runs/${run.id}/retraining?steps=${until}`)}
            library={() => getBytes("/api/library")}
            worker={() => new TrainingWorker()}
          />
        </>
      ) : (
        <p class="note">This run cannot be trained in a browser: {obstacle}.</p>
      )}
    </section>
  );
}
