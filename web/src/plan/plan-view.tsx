import { useMemo, useState } from "preact/hooks";
import { hrefOf, setQuery, useAddress } from "../address.js";
import { useChanges } from "../changes.js";
import { Chart } from "../chart/chart.js";
import type { ChartBand, ChartLine } from "../chart/chart-plot.js";
import { Shared, type StepCursor, type StepRange } from "../chart/step-cursor.js";
import { Choice, Status } from "../controls.js";
import type { OverlayDocument, PlanDocument } from "../documents.js";
import { shown } from "../figures.js";
import { overlaid } from "../run/overlay-view.js";
import { useDocument } from "../server.js";
import { lineColour, lineDash, useTheme } from "../theme.js";
import { HeatMap } from "./heat-map.js";
import { ParallelCoordinates } from "./parallel-coordinates.js";
import { bandOf } from "./seed-band.js";
import type { SweptRow } from "./swept-row.js";

type Trial = PlanDocument["trials"][number];

/** An experiment or a sweep. */
export function PlanView({ id }: { id: string }) {
  const [turn, setTurn] = useState(0);
  const { document: plan, problem } = useDocument<PlanDocument>(`/api/plans/${id}`, turn);
  useChanges(({ kind }) => {
    if (kind === "plans" || kind === "everything") setTurn((before) => before + 1);
  });
  if (!plan) return <p class={problem ? "problem" : "waiting"}>{problem ?? "Reading the plan …"}</p>;
  return (
    <main>
      <header class="head">
        <div>
          <h2>{plan.name}</h2>
          <p class="sub">
            <span class="kind">{plan.kind}</span>
            {Object.entries(plan.counts).map(
              ([status, count]) =>
                count > 0 && (
                  <span key={status}>
                    {count} <Status status={status} />
                  </span>
                ),
            )}
          </p>
        </div>
        {plan.judged && (
          <div class={`judged ${plan.judged.verdict.result}`}>
            <b>{plan.judged.verdict.result}</b>
            <p>{plan.judged.verdict.reason}</p>
            {plan.judged.verdict.notes?.map((note) => (
              <p key={note}>{note}</p>
            ))}
          </div>
        )}
      </header>
      {plan.kind === "experiment" ? <Arms plan={plan} turn={turn} /> : <Swept plan={plan} />}
      <Trials trials={plan.trials} isExperiment={plan.kind === "experiment"} />
    </main>
  );
}

/** The arms of an experiment over each other: every seed's line, mean and band. */
function Arms({ plan, turn }: { plan: PlanDocument; turn: number }) {
  const { query } = useAddress();
  const { isDark } = useTheme();
  const name = query.get("name") ?? "loss";
  const cursor = useMemo<StepCursor>(() => new Shared<number | null>(null), [plan.id]);
  const range = useMemo<StepRange>(() => new Shared<readonly [number, number] | null>(null), [plan.id]);
  const ids = [...new Set(plan.trials.flatMap(({ run }) => run ?? []))].join(",");
  const { document: overlay } = useDocument<OverlayDocument>(ids === "" ? null : `/api/overlay?name=${name}&points=800&runs=${ids}`, turn);
  const { lines, bands, sizes } = useMemo(() => armLines(plan, overlay, isDark), [plan, overlay, isDark]);
  const few = sizes.filter(({ n }) => n < 3);
  return (
    <section aria-label="Arms">
      <div class="bar">
        <h2>Arms</h2>
        <Choice label="Line" value={name} options={Object.entries(overlaid)} onChoice={(value) => setQuery({ name: value })} />
      </div>
      {lines.length === 0 ? (
        <p class="empty">No run has this line yet.</p>
      ) : (
        <Chart
          title={overlaid[name] ?? name}
          lines={lines}
          bands={bands}
          cursor={cursor}
          range={range}
          height={380}
          isLog={query.get("log") === "1"}
          onLog={(isLog) => setQuery({ log: isLog ? "1" : "" })}
          fileName={`${plan.directory}-${name}`}
          note={`Thin: every seed. Thick: mean over seeds; band: one standard deviation of the sample.${
            few.length > 0 ? ` Fewer than 3 seeds in ${few.map(({ arm, n }) => `${arm} (n = ${n})`).join(" and ")}: a band says little.` : ""
          }`}
        />
      )}
      {plan.judged && <Measures judged={plan.judged} />}
    </section>
  );
}

function armLines(plan: PlanDocument, overlay: OverlayDocument | undefined, isDark: boolean) {
  const lines: ChartLine[] = [];
  const bands: ChartBand[] = [];
  const sizes: { arm: string; n: number }[] = [];
  plan.arms.forEach((arm, index) => {
    const own = plan.trials.filter((trial) => trial.arm === arm && trial.run !== null);
    const found = own.flatMap(({ run, seed }) => {
      const line = overlay?.lines.find((each) => each.id === run);
      return line ? [{ seed, line }] : [];
    });
    if (found.length === 0) return;
    const look = { colour: lineColour(index, isDark), dash: lineDash(index) };
    for (const { seed, line } of found) lines.push({ label: `${arm}, seed ${seed}`, x: line.x, y: line.y, ...look, isFaint: true, width: 1 });
    const band = bandOf(found.map(({ line }) => line));
    sizes.push({ arm, n: found.length });
    if (found.length > 1) {
      const place = lines.length;
      const edge = { ...look, isFaint: true, width: 0 };
      lines.push({ label: `${arm}, mean + sd`, x: band.x, y: band.upper, ...edge }, { label: `${arm}, mean − sd`, x: band.x, y: band.lower, ...edge });
      bands.push({ upper: place, lower: place + 1, colour: look.colour });
    }
    lines.push({ label: `${arm}, n = ${found.length}`, x: band.x, y: band.mean, ...look, width: 2.4 });
  });
  return { lines, bands, sizes };
}

function Measures({ judged }: { judged: NonNullable<PlanDocument["judged"]> }) {
  return (
    <>
      <div class="table-frame">
        <table>
          <caption>Measures, paired by seed; those that decide are marked</caption>
          <thead>
            <tr>
              <th>Measure</th>
              <th>Arm</th>
              <th class="number">Control</th>
              <th class="number">Treatment</th>
              <th class="number">Difference</th>
              <th class="number">p</th>
            </tr>
          </thead>
          <tbody>
            {judged.measures.map(({ measure, arm, decides, control, treatment, difference, p }) => (
              <tr key={`${measure} ${arm}`}>
                <td>
                  {measure}
                  {decides && <span class="tag">decides</span>}
                </td>
                <td>{arm}</td>
                <td class="number">{spread(control)}</td>
                <td class="number">{spread(treatment)}</td>
                <td class="number">{spread(difference)}</td>
                <td class="number">{shown(p)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {judged.confounds.length > 0 && (
        <div class="panel">
          <h3>Confounds</h3>
          <ul>
            {judged.confounds.map(({ arm, what, control, treatment, remove }) => (
              <li key={`${arm} ${what}`}>
                {arm}: {what} ({control} against {treatment}){remove && <code> {remove}</code>}
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

function spread({ mean, sd, n }: { mean: number | null; sd: number | null; n: number }): string {
  return n === 0 ? "–" : `${shown(mean)} ± ${shown(sd)} (n = ${n})`;
}

/** A sweep: what was set against what came out. */
function Swept({ plan }: { plan: PlanDocument }) {
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

function sweptRows(trials: readonly Trial[]): SweptRow[] {
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

function Trials({ trials, isExperiment }: { trials: readonly Trial[]; isExperiment: boolean }) {
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
