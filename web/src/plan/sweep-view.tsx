import { useMemo } from "preact/hooks";
import { setQuery, useAddress } from "../address.js";
import { Choice } from "../controls.js";
import type { PlanDocument } from "../documents.js";
import { HeatMap } from "./heat-map.js";
import { ParallelCoordinates } from "./parallel-coordinates.js";
import type { SweptRow } from "./swept-row.js";

/** A sweep: what was set against what came out. */
export function Swept({ plan }: { plan: PlanDocument }) {
  const { query } = useAddress();
  const rows = useMemo(() => sweptRows(plan.trials), [plan.trials]);
  const fields = [...new Set(plan.trials.flatMap(({ set }) => Object.keys(set)))].filter(
    (field) => new Set(rows.map((row) => JSON.stringify(row.values[field]))).size > 1,
  );
  const measures = ["C", "P", "final loss", "displacement"];
  const measure = query.get("measure") ?? "P";
  const numeric = fields.filter((field) => field !== "seed");
  const across = query.get("across") ?? numeric[0] ?? fields[0] ?? "";
  const down = query.get("down") ?? numeric[1] ?? fields.find((field) => field !== across) ?? across;
  const done = rows.filter(({ values }) => values[measure] !== undefined);
  if (done.length === 0) return <p class="empty">No trial has come to a result yet.</p>;
  return (
    <section aria-label="Sweep">
      <div class="bar">
        <h2>What came out</h2>
        <Choice label="Measure" value={measure} options={measures.map((each) => [each, each])} onChoice={(value) => setQuery({ measure: value })} />
        <Choice label="Across" value={across} options={fields.map((each) => [each, each])} onChoice={(value) => setQuery({ across: value })} />
        <Choice label="Down" value={down} options={fields.map((each) => [each, each])} onChoice={(value) => setQuery({ down: value })} />
      </div>
      <ParallelCoordinates rows={done} axes={[...fields, ...measures]} measure={measure} />
      {across !== "" && <HeatMap rows={done} across={across} down={down} measure={measure} />}
    </section>
  );
}

function sweptRows(trials: PlanDocument["trials"]): SweptRow[] {
  return trials.map(({ trial, run, set, result }) => {
    const values: Record<string, string | number> = {};
    for (const [field, value] of Object.entries(set)) values[field] = typeof value === "number" || typeof value === "string" ? value : JSON.stringify(value);
    if (result) {
      values["C"] = result.census.C;
      values["P"] = result.census.P;
      if (result.finalLoss !== null) values["final loss"] = result.finalLoss;
      if (result.displacement.float64 !== null) values["displacement"] = result.displacement.float64;
    }
    return { id: trial, run, values };
  });
}
