import { hrefOf } from "../address.js";
import { Status } from "../controls.js";
import type { PlanDocument } from "../documents.js";
import { shown } from "../figures.js";

/** The trials of a plan as a table, with links to their runs. */
export function Trials({ trials, isExperiment }: { trials: PlanDocument["trials"]; isExperiment: boolean }) {
  return (
    <section aria-label="Trials">
      <h2>
        Trials <span class="count">{trials.length}</span>
      </h2>
      <div class="table-frame">
        <table>
          <thead>
            <tr>
              <th>{isExperiment ? "Arm" : "Trial"}</th>
              <th class="number">Seed</th>
              <th>State</th>
              {!isExperiment && <th>Sets</th>}
              <th class="number">C</th>
              <th class="number">P</th>
              <th class="number">Final loss</th>
              <th class="number">Displacement</th>
            </tr>
          </thead>
          <tbody>
            {trials.map(({ trial, arm, seed, run, status, set, result, reason }) => (
              <tr key={`${trial} ${arm}`}>
                <td>{run ? <a href={hrefOf("run", run)}>{arm ?? trial.slice(0, 8)}</a> : (arm ?? trial.slice(0, 8))}</td>
                <td class="number">{seed === null ? "–" : String(seed)}</td>
                <td>
                  <Status status={status} />
                  {reason && <small class="trouble">{reason}</small>}
                </td>
                {!isExperiment && (
                  <td>
                    {Object.entries(set).map(([field, value]) => (
                      <code key={field}>
                        {field}={shown(value)}{" "}
                      </code>
                    ))}
                  </td>
                )}
                <td class="number">{shown(result?.census.C)}</td>
                <td class="number">{shown(result?.census.P)}</td>
                <td class="number">{shown(result?.finalLoss)}</td>
                <td class="number">{shown(result?.displacement.float64)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
