import { hrefOf } from "../address.js";
import { TableFrame } from "../controls.js";
import type { PlanDocument } from "../documents.js";
import type { SweptRow } from "./swept-row.js";
import { ResultHeads, resultCells, TrialState } from "./trials.js";

interface SweepTrialsProps {
  /** The trials that the filters leave. */
  rows: readonly SweptRow[];
  trials: PlanDocument["trials"];
  best: ReadonlySet<string>;
  /** What the best trials are best in, as `lowest P`. */
  bestIn: string;
  onNear(id: string | null): void;
}

/** The trials of a sweep as a table: names by the values that differ, links to the runs, and the results. */
export function SweepTrials({ rows, trials, best, bestIn, onNear }: SweepTrialsProps) {
  const known = new Map(trials.map((trial) => [trial.trial, trial]));
  const cells = resultCells(trials);
  return (
    <>
      <h2>
        Trials <span class="count">{rows.length === trials.length ? rows.length : `${rows.length} of ${trials.length}`}</span>
      </h2>
      <TableFrame label="Table of trials">
        <table class="narrow-cards">
          <thead>
            <tr>
              <th>Trial</th>
              <th>State</th>
              <ResultHeads />
            </tr>
          </thead>
          <tbody>
            {rows.map(({ id, run, name }) => (
              <tr key={id} class={best.has(id) ? "best" : ""} onMouseEnter={() => onNear(id)} onMouseLeave={() => onNear(null)}>
                <td class="title">
                  {run ? <a href={hrefOf("run", run)}>{name}</a> : name}
                  {best.has(id) && <span class="tag">★ {bestIn}</span>}
                  <small class="identity">{id.slice(0, 8)}</small>
                </td>
                <TrialState status={known.get(id)?.status ?? "planned"} reason={known.get(id)?.reason ?? null} />
                {cells(known.get(id)?.result ?? null)}
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
    </>
  );
}
