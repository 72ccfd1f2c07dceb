import type { JSX } from "preact";
import { hrefOf } from "../address.js";
import { Status, TableFrame } from "../controls.js";
import type { PlanDocument } from "../documents.js";
import { alignedNumber } from "../figures.js";

type Trial = PlanDocument["trials"][number];
type Result = Trial["result"];

const columns: readonly { readonly title: string; readonly of: (result: NonNullable<Result>) => number | null }[] = [
  { title: "C", of: ({ census }) => census.C },
  { title: "P", of: ({ census }) => census.P },
  { title: "Final loss", of: ({ finalLoss }) => finalLoss },
  { title: "Displacement", of: ({ displacement }) => displacement.float64 },
];

/** The headings of the columns of results. */
export function ResultHeads() {
  return (
    <>
      {columns.map(({ title }) => (
        <th key={title} class="number">
          {title}
        </th>
      ))}
    </>
  );
}

/** The cells of a trial's results, with aligned decimals over all trials of the table. */
export function resultCells(trials: readonly Pick<Trial, "result">[]): (result: Result) => JSX.Element[] {
  const texts = columns.map(({ of }) => alignedColumn(trials.map(({ result }) => (result ? of(result) : null))));
  return (result) =>
    columns.map(({ title, of }, index) => (
      <td key={title} class="number" data-label={title}>
        {texts[index]?.(result ? of(result) : null)}
      </td>
    ));
}

/** Whole numbers as they are, others with equally many decimals. */
function alignedColumn(values: readonly (number | null)[]): (value: number | null) => string {
  if (values.every((value) => value === null || Number.isInteger(value))) return (value) => (value === null ? "–" : String(value));
  return alignedNumber(values);
}

/** The status of a trial and the reason for it. */
export function TrialState({ status, reason }: Pick<Trial, "status" | "reason">) {
  return (
    <td data-label="State">
      <Status status={status} />
      {reason && <small class="trouble">{reason}</small>}
    </td>
  );
}

/** The trials of an experiment as a table, with links to their runs. */
export function Trials({ trials }: { trials: readonly Trial[] }) {
  const cells = resultCells(trials);
  return (
    <section aria-label="Trials">
      <h2>
        Trials <span class="count">{trials.length}</span>
      </h2>
      <TableFrame label="Table of trials">
        <table class="narrow-cards">
          <thead>
            <tr>
              <th>Arm</th>
              <th class="number">Seed</th>
              <th>State</th>
              <ResultHeads />
            </tr>
          </thead>
          <tbody>
            {trials.map(({ trial, arm, seed, run, status, result, reason }) => (
              <tr key={`${trial} ${arm}`}>
                <td class="title">{run ? <a href={hrefOf("run", run)}>{arm ?? trial.slice(0, 8)}</a> : (arm ?? trial.slice(0, 8))}</td>
                <td class="number" data-label="Seed">
                  {seed === null ? "–" : String(seed)}
                </td>
                <TrialState status={status} reason={reason} />
                {cells(result)}
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
    </section>
  );
}
