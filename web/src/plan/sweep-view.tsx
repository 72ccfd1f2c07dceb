import "./sweep.css";
import { useMemo, useState } from "preact/hooks";
import { fieldName, trialNames } from "../../../src/text/names.js";
import { setQuery, useAddress } from "../address.js";
import { Choice } from "../controls.js";
import type { PlanDocument } from "../documents.js";
import { shown } from "../figures.js";
import { useTheme } from "../theme.js";
import { BrushFields } from "./brush-fields.js";
import { type Brush, brushText, isWithin, readBrushes, withBrush } from "./brushes.js";
import { HeatMap } from "./heat-map.js";
import { ParallelCoordinates } from "./parallel-coordinates.js";
import { SweepTrials } from "./sweep-trials.js";
import { bestOf, type SweptRow, scaleOf } from "./swept-row.js";

const measures = ["final loss", "P", "C", "displacement"];
const directions = ["lowest", "highest"] as const;

/** A sweep: what was set against what came out, filtered by brushes. */
export function Swept({ plan }: { plan: PlanDocument }) {
  const { query } = useAddress();
  const { isDark } = useTheme();
  const [near, setNear] = useState<string | null>(null);
  const rows = useMemo(() => sweptRows(plan.trials), [plan.trials]);
  const fields = useMemo(() => differingFields(rows, plan.trials), [rows, plan.trials]);
  const measure = query.get("measure") ?? "P";
  const direction = directions.find((each) => each === query.get("best")) ?? "lowest";
  const numeric = fields.filter((field) => field !== "seed");
  const across = query.get("across") ?? numeric[0] ?? fields[0] ?? "";
  const down = query.get("down") ?? numeric[1] ?? fields.find((field) => field !== across) ?? across;
  const done = useMemo(() => rows.filter(({ values }) => values[measure] !== undefined), [rows, measure]);
  const scales = useMemo(
    () => [...fields, ...measures].filter((name) => done.some(({ values }) => values[name] !== undefined)).map((name) => scaleOf(done, name)),
    [done, fields],
  );
  const brushes = useMemo(() => readBrushes(query.get("brush")), [query.get("brush")]);
  const onBrush = (name: string, brush: Brush | null) => setQuery({ brush: brushText(withBrush(brushes, name, brush)) });
  const chosen = done.filter((row) => isWithin(row, brushes, scales));
  const best = bestOf(chosen, measure, direction);
  const ids = new Set(chosen.map(({ id }) => id));
  const bestIds = new Set(best.rows.map(({ id }) => id));
  const nearRow = rows.find(({ id }) => id === near);
  const titles = (name: string) => fieldName(name, fields);
  const choices = fields.map((field) => [field, titles(field)]);
  return (
    <section aria-label="Sweep">
      <div class="bar">
        <h2>Results</h2>
        <Choice label="Measure" value={measure} options={measures.map((each) => [each, each])} onChoice={(value) => setQuery({ measure: value })} />
        <Choice label="Best is" value={direction} options={directions.map((each) => [each, each])} onChoice={(value) => setQuery({ best: value })} />
        <Choice label="Across" value={across} options={choices} onChoice={(value) => setQuery({ across: value })} />
        <Choice label="Down" value={down} options={choices} onChoice={(value) => setQuery({ down: value })} />
      </div>
      {done.length === 0 ? (
        <p class="empty">No trial has a result yet.</p>
      ) : (
        <>
          <figure class="panel wide">
            <figcaption>
              <span role="status" class="of-trials">
                <b>
                  {brushes.size > 0 ? `${chosen.length} of ${done.length}` : done.length} {done.length === 1 ? "trial" : "trials"}
                </b>
              </span>
              {brushes.size > 0 && (
                <button type="button" class="small" onClick={() => setQuery({ brush: "" })}>
                  Clear filters
                </button>
              )}{" "}
              <span class="best-note">{bestNote(best, measure, direction)}</span>
              <span class="note">
                {nearRow
                  ? readOf(nearRow, scales)
                  : `${isDark ? "Lighter" : "Darker"}: larger ${measure}. Drag along an axis to filter; a click on a line opens its run.`}
              </span>
            </figcaption>
            <ParallelCoordinates
              rows={done}
              scales={scales}
              titles={titles}
              measure={measure}
              chosen={ids}
              best={bestIds}
              brushes={brushes}
              onBrush={onBrush}
              near={near}
              onNear={setNear}
            />
            <BrushFields scales={scales} titles={titles} brushes={brushes} onBrush={onBrush} />
          </figure>
          {across !== "" && <HeatMap rows={chosen} all={done} across={across} down={down} measure={measure} />}
        </>
      )}
      <SweepTrials rows={brushes.size > 0 ? chosen : rows} trials={plan.trials} best={bestIds} bestIn={`${direction} ${measure}`} onNear={setNear} />
    </section>
  );
}

function bestNote({ rows, value }: ReturnType<typeof bestOf>, measure: string, direction: string): string {
  const [first, ...others] = rows;
  if (!first) return "";
  return others.length === 0
    ? `★ Best: ${first.name} (${direction} ${measure}, ${shown(value)}).`
    : `★ ${rows.length} trials share the ${direction} ${measure}, ${shown(value)}.`;
}

function readOf({ name, values }: SweptRow, scales: readonly { name: string }[]): string {
  const outcomes = scales.flatMap(({ name: of }) => (measures.includes(of) ? [`${of} ${shown(values[of])}`] : []));
  return `${name}: ${outcomes.join(", ")}`;
}

/** The swept fields that differ between trials. */
function differingFields(rows: readonly SweptRow[], trials: PlanDocument["trials"]): string[] {
  const paths = [...new Set(trials.flatMap(({ set }) => Object.keys(set)))];
  return paths.filter((path) => new Set(rows.map((row) => JSON.stringify(row.values[path]))).size > 1);
}

function sweptRows(trials: PlanDocument["trials"]): SweptRow[] {
  const names = trialNames(trials.map(({ set }) => set));
  return trials.map(({ trial, run, set, result }, at) => {
    const values: Record<string, string | number> = {};
    for (const [field, value] of Object.entries(set)) values[field] = typeof value === "number" || typeof value === "string" ? value : JSON.stringify(value);
    if (result) {
      values["C"] = result.census.C;
      values["P"] = result.census.P;
      if (result.finalLoss !== null) values["final loss"] = result.finalLoss;
      if (result.displacement.float64 !== null) values["displacement"] = result.displacement.float64;
    }
    return { id: trial, run, name: names[at] ?? trial, values };
  });
}
