import { useCallback, useMemo, useState } from "preact/hooks";
import { seriesTitles } from "../../shared/series-names.js";
import { Shared, type StepCursor, type StepRange } from "../../shared/step-cursor.js";
import { setQuery, useAddress } from "../address.js";
import { Chart } from "../chart/chart.js";
import type { ChartBand, ChartLine } from "../chart/chart-plot.js";
import { overlayValues, useExactValues } from "../chart/exact-values.js";
import { Choice, TableFrame } from "../controls.js";
import type { OverlayDocument, PlanDocument } from "../documents.js";
import { ServedFigure } from "../figure/served-figure.js";
import { shown } from "../figures.js";
import { PairOfArms } from "../pair/pair-arms.js";
import { useDocument } from "../server.js";
import { lineColour, lineDash, useTheme } from "../theme.js";
import { bandOf } from "./seed-band.js";

type Judged = NonNullable<PlanDocument["judged"]>;

/** An experiment: the deciding measures first, then the tokens of every run, the arms over the steps, and all measures. */
export function Experiment({ plan, turn }: { plan: PlanDocument; turn: number }) {
  const figure = (name: string) => `/api/plans/${plan.id}/figure?name=${name}`;
  const shown = plan.trials.filter(({ run }) => run !== null).length;
  if (shown === 0) return <p class="empty">No run has started yet.</p>;
  const treatments = plan.arms.length - 1;
  const isAny = plan.trials.some(({ status }) => status === "completed");
  return (
    <>
      {isAny && (
        <section aria-label="Differences between the arms">
          <h2 class="visually-hidden">Differences between the arms</h2>
          <ServedFigure address={figure("forest")} turn={turn} room={forestRoom(treatments)} />
          <Others address={figure("forest-others")} turn={turn} treatments={treatments} />
        </section>
      )}
      {plan.isSequential && hasPair(plan) && (
        <section aria-label="Evidence as it grew">
          <h2 class="visually-hidden">Evidence as it grew</h2>
          <ServedFigure address={figure("evidence")} turn={turn} room={evidenceRoom(treatments)} />
        </section>
      )}
      {isAny && (
        <section aria-label="Tokens of every run">
          <h2 class="visually-hidden">Tokens of every run</h2>
          <ServedFigure address={figure("verdicts")} turn={turn} room={verdictsRoom(plan.arms.length, plan.seeds.length)} />
        </section>
      )}
      <Arms plan={plan} turn={turn} />
      {plan.judged && <Measures judged={plan.judged} />}
      {plan.judged && plan.judged.confounds.length > 0 && <Confounds judged={plan.judged} />}
    </>
  );
}

/** Room for a forest of two deciding measures, which is the default. */
function forestRoom(treatments: number, measures = 2) {
  return { height: () => 30 + measures * (82 + 66 * treatments), title: 40, caption: 400 };
}

/** Whether the first seed has ended in the control and in another arm. */
function hasPair({ trials, arms, seeds }: PlanDocument): boolean {
  const first = trials.filter(({ seed, result }) => seed === seeds[0] && result !== null).map(({ arm }) => arm);
  return first.includes(arms[0] ?? "") && first.length > 1;
}

/** Room for a panel per arm. */
function evidenceRoom(treatments: number) {
  const columnsOf = (width: number) => Math.max(1, Math.min(treatments, 2, Math.floor((width + 18) / 218)));
  return { height: (width: number) => 40 + 280 * Math.ceil(treatments / columnsOf(width)), title: 60, caption: 300 };
}

/** Room for a panel per arm and seed, as the server lays them out. */
function verdictsRoom(arms: number, seeds: number) {
  const wanted = arms * Math.max(1, Math.floor(4 / arms));
  const columnsOf = (width: number) => Math.ceil(wanted / Math.ceil(wanted / Math.max(1, Math.floor((width + 18) / (wanted > 3 ? 183 : 218)))));
  return { height: (width: number) => 70 + 196 * Math.ceil((arms * Math.min(seeds, 8)) / columnsOf(width)), title: 60, caption: 400 };
}

/** The measures that do not decide, read when they are unfolded. */
function Others({ address, turn, treatments }: { address: string; turn: number; treatments: number }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="panel" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Measures that do not decide</summary>
      {isOpen && <ServedFigure address={address} turn={turn} room={forestRoom(treatments, 4)} />}
    </details>
  );
}

/** Series by the measures that they show over the steps; other measures have no series. */
const seriesOfMeasures: Readonly<Record<string, string>> = { score: "P", C: "C", deadC: "C", P: "P", deadP: "P", unique: "unique", deadUnique: "unique" };

/** The series of the first deciding measure that has one. */
function decidingSeries({ judged }: PlanDocument): string {
  const deciding = judged?.measures.filter(({ decides }) => decides).flatMap(({ measure }) => seriesOfMeasures[measure.replace(/@.*/, "")] ?? []) ?? [];
  return deciding.find((name) => seriesTitles.has(name)) ?? "loss";
}

/** The arms of an experiment over each other: every seed's line, mean and band. */
function Arms({ plan, turn }: { plan: PlanDocument; turn: number }) {
  const { query } = useAddress();
  const { isDark } = useTheme();
  const name = query.get("name") ?? decidingSeries(plan);
  const cursor = useMemo<StepCursor>(() => new Shared<number | null>(null), [plan.id]);
  const range = useMemo<StepRange>(() => new Shared<readonly [number, number] | null>(null), [plan.id]);
  const ids = [...new Set(plan.trials.flatMap(({ run }) => run ?? []))].join(",");
  const { document: overlay } = useDocument<OverlayDocument>(
    ids === "" ? null : `/api/overlay?name=${name}&points=${pointsTogether(plan)}&together=1&runs=${ids}`,
    turn,
  );
  const isReduced = overlay?.lines.some((line) => line.isReduced) ?? false;
  const askValues = useCallback((step: number, signal: AbortSignal) => overlayValues(`name=${name}&runs=${ids}&step=${step}`, signal), [name, ids]);
  const exact = useExactValues(cursor, isReduced, askValues, overlay);
  const { lines, bands, sizes } = useMemo(() => armLines(plan, overlay, isDark), [plan, overlay, isDark]);
  const few = sizes.filter(({ n }) => n < 3);
  return (
    <section aria-label="Arms">
      <div class="bar">
        <h2>Arms</h2>
        <Choice label="Line" value={name} options={[...seriesTitles]} onChoice={(value) => setQuery({ name: value })} />
      </div>
      {lines.length === 0 ? (
        <p class={ids !== "" && overlay === undefined ? "waiting chart-place" : "empty"}>
          {ids !== "" && overlay === undefined ? "Reading the lines …" : "No run has this line yet."}
        </p>
      ) : (
        <Chart
          title={seriesTitles.get(name) ?? name}
          lines={lines}
          bands={bands}
          cursor={cursor}
          range={range}
          exact={exact}
          height={380}
          isLog={query.get("log") === "1"}
          onLog={(isLog) => setQuery({ log: isLog ? "1" : "" })}
          fileName={`${plan.directory}-${name}`}
          note={`Thin: every seed. Thick: mean over seeds; band: one standard deviation of the sample.${
            few.length > 0 ? ` Fewer than 3 seeds in ${few.map(({ arm, n }) => `${arm} (n = ${n})`).join(" and ")}: a band says little.` : ""
          }`}
        />
      )}
      <PairOfArms plan={plan} />
    </section>
  );
}

/** Points of each line, which all lines then have: all of them together are no more than can be drawn at once. */
function pointsTogether({ trials }: PlanDocument): number {
  return Math.max(20, Math.min(800, Math.floor(400_000 / trials.length ** 2)));
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
    const isStepped = found.every(({ line }) => line.y.every((value) => value === null || Number.isInteger(value)));
    for (const { seed, line } of found) lines.push({ label: `${arm}, seed ${seed}`, x: line.x, y: line.y, ...look, isFaint: true, isStepped, width: 1 });
    const band = bandOf(found.map(({ line }) => line));
    sizes.push({ arm, n: found.length });
    if (found.length > 1) {
      const place = lines.length;
      const edge = { ...look, isFaint: true, isStepped, width: 0 };
      lines.push({ label: `${arm}, mean + sd`, x: band.x, y: band.upper, ...edge }, { label: `${arm}, mean − sd`, x: band.x, y: band.lower, ...edge });
      bands.push({ upper: place, lower: place + 1, colour: look.colour });
    }
    const recording = { keys: found.map(({ line }) => line.id), x: band.x, y: band.mean, isReduced: found.some(({ line }) => line.isReduced) };
    lines.push({ label: `${arm}, n = ${found.length}`, x: band.x, y: band.mean, ...look, isStepped, recording, width: 2.4 });
  });
  return { lines, bands, sizes };
}

/** The measures as a table: those that decide, and all others folded. */
function Measures({ judged }: { judged: Judged }) {
  const deciding = judged.measures.filter(({ decides }) => decides);
  const others = judged.measures.filter(({ decides }) => !decides);
  return (
    <section aria-label="Measures">
      <MeasureTable measures={deciding} caption="Deciding measures, paired by seed" />
      {others.length > 0 && (
        <details class="panel">
          <summary>All other measures as a table</summary>
          <MeasureTable measures={others} caption="Other measures, paired by seed" />
        </details>
      )}
    </section>
  );
}

function MeasureTable({ measures, caption }: { measures: Judged["measures"]; caption: string }) {
  return (
    <TableFrame label={caption}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th>Measure</th>
            <th>Arm</th>
            <th class="number">Control</th>
            <th class="number">Treatment</th>
            <th class="number">Difference</th>
            <th class="number">p</th>
            {measures.some(({ decides }) => decides) && <th class="number">Corrected p</th>}
          </tr>
        </thead>
        <tbody>
          {measures.map(({ measure, arm, decides, control, treatment, difference, p, holm }) => (
            <tr key={`${measure} ${arm}`}>
              <td>{measure}</td>
              <td>{arm}</td>
              <td class="number">{spread(control)}</td>
              <td class="number">{spread(treatment)}</td>
              <td class="number">{spread(difference)}</td>
              <td class="number">{shown(p)}</td>
              {decides && <td class="number">{shown(holm)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

function Confounds({ judged }: { judged: Judged }) {
  return (
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
  );
}

function spread({ mean, sd, n }: { mean: number | null; sd: number | null; n: number }): string {
  return n === 0 ? "–" : `${shown(mean)} ± ${shown(sd)} (n = ${n})`;
}
