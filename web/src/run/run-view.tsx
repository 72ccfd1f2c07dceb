import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type SeriesChart, seriesCharts } from "../../shared/series-names.js";
import { type HoveredToken, Shared, type StepCursor, type StepRange, type TokenChanges, useShared } from "../../shared/step-cursor.js";
import { setQuery, useAddress } from "../address.js";
import { useChanges } from "../changes.js";
import { axisChoices, axisName, axisOf, type ChartAxis } from "../chart/axis.js";
import { Chart } from "../chart/chart.js";
import { type ChartLine, smoothedLines } from "../chart/chart-plot.js";
import { type ExactValues, seriesValues, useExactValues } from "../chart/exact-values.js";
import { Replay } from "../cloud/replay.js";
import { Choice, type Smoothing, SmoothingChoice, smoothingNote, smoothingOf, Waiting } from "../controls.js";
import type { BasisDocument, HistoryDocument, SeriesDocument, ServedRunDocument } from "../documents.js";
import { shown } from "../figures.js";
import { useDocument } from "../server.js";
import { lineColour, lineDash, useTheme } from "../theme.js";
import { type Baseline, BaselineComparison, baselineLines, baselineValues, useBaseline } from "./baseline.js";
import { RunAgain } from "./run-again.js";
import { RunFacts } from "./run-facts.js";
import { RunHead } from "./run-head.js";
import { RunVerdict } from "./run-verdict.js";
import { TokenLife } from "./token-life.js";

/** One run: what it is, its charts and its replay, which share one cursor. */
export function RunView({ id }: { id: string }) {
  const { query } = useAddress();
  const [turn, setTurn] = useState(0);
  const { document: run, problem } = useDocument<ServedRunDocument>(`/api/runs/${id}`, turn);
  const [seriesTurn, setSeriesTurn] = useState(0);
  const cursor = useMemo<StepCursor>(() => new Shared(numberOf(query.get("step"))), [id]);
  const range = useMemo<StepRange>(() => new Shared(rangeOf(query.get("zoom"))), [id]);
  const hovered = useMemo<HoveredToken>(() => new Shared<number | null>(null), [id]);
  const changes = useMemo<TokenChanges>(() => new Shared<readonly number[]>([]), [id]);
  useAddressOf(cursor, range);
  const shownRange = useShared(range);
  const smoothed = `&smooth=${smoothingOf(query)}`;
  const zoomed = shownRange ? `&from=${Math.max(0, shownRange[0] - 1)}&to=${shownRange[1] + 1}` : "";
  const { document: series, problem: unread } = useDocument<SeriesDocument>(`/api/runs/${id}/series?points=2000${smoothed}${zoomed}`, seriesTurn);
  const baseline = useBaseline(query.get("baseline"), id, smoothed);
  const isReduced = [series, baseline?.series].some((each) => each?.series.some((line) => line.isReduced));
  const askValues = useCallback(
    async (step: number, signal: AbortSignal) => {
      const asked = `step=${step}${smoothed}`;
      const own = await seriesValues(`/api/runs/${id}/series?${asked}`, signal);
      return baseline ? new Map([...own, ...(await baselineValues(baseline.id, asked, signal))]) : own;
    },
    [id, smoothed, baseline?.id],
  );
  const exact = useExactValues(cursor, isReduced, askValues, series);
  const history = useDocument<HistoryDocument>(`/api/runs/${id}/history`, run?.status === "foreign" ? 0 : seriesTurn); // a foreign log never gets one
  const basis = useDocument<BasisDocument>(`/api/runs/${id}/basis`, history.document === undefined ? 0 : 1);
  useChanges((change) => {
    if (change.kind === "everything" || (change.kind === "run" && change.run.id === id)) {
      setTurn((before) => before + 1);
      setSeriesTurn((before) => before + 1);
    }
  });
  const drawn = useMemo<StepCursor>(() => new Shared<number | null>(null), [id]);
  if (!run) return <Waiting problem={problem} what="Reading the run …" />;
  return (
    <main class="run">
      <RunHead run={run} step={stepOf(run, series, history.document)} cursor={cursor} drawn={drawn} />
      {baseline && <BaselineComparison run={run} baseline={baseline} />}
      {run.problem && <p class="problem">{run.problem}</p>}
      {run.alerts.map(({ step, message }) => (
        <p class="alert" key={step}>
          Step {shown(step)}: {message}
        </p>
      ))}
      <RunVerdict run={run} cursor={cursor} changes={changes} />
      {history.document && basis.document ? (
        <Replay
          name={run.name}
          history={history.document}
          basis={basis.document}
          cursor={cursor}
          hovered={hovered}
          drawn={drawn}
          followed={rowOf(query.get("token"), history.document)}
          isLive={run.status === "running"}
        />
      ) : (
        <ReplayPlace problem={history.problem ?? basis.problem} mayCome={run.status === "running"} />
      )}
      {!history.problem && (
        <TokenLife
          history={history.document}
          cursor={cursor}
          range={range}
          hovered={hovered}
          changes={changes}
          followed={history.document ? rowOf(query.get("token"), history.document) : null}
          turn={seriesTurn}
        />
      )}
      {series && <RunCharts series={series} exact={exact} cursor={cursor} range={range} changes={changes} run={run} baseline={baseline} />}
      {!series && <p class={unread ? "problem" : "waiting"}>{unread ?? "Reading the lines …"}</p>}
      {(series || unread) && <RunAgain run={run} />}
      {(series || unread) && run.status !== "foreign" && <RunFacts run={run} />}
    </main>
  );
}

/** The place of the replay until it is there, so that nothing below moves. */
function ReplayPlace({ problem, mayCome }: { problem: string | undefined; mayCome: boolean }) {
  if (problem !== undefined && !mayCome) return <p class="note">{problem}</p>;
  return (
    <section class="replay reserved" aria-label="Replay">
      <div class="stage">
        <p class="corner">{problem ?? "Reading the snapshots …"}</p>
      </div>
      <div class="transport">
        <button type="button" class="primary" disabled>
          ▶
        </button>
      </div>
      <div class="beside">
        <div class="panel" />
        <div class="panel token" />
      </div>
      <div class="bits" />
    </section>
  );
}

interface RunChartsProps {
  series: SeriesDocument;
  exact: Shared<ExactValues | null>;
  cursor: StepCursor;
  range: StepRange;
  changes: TokenChanges;
  run: ServedRunDocument;
  baseline: Baseline | null;
}

function RunCharts({ series, exact, cursor, range, changes, run, baseline }: RunChartsProps) {
  const { query } = useAddress();
  const { isDark } = useTheme();
  const smoothing = smoothingOf(query);
  const axis = useMemo(() => axisOf(axisName(query.get("x")), series.clock), [query.get("x"), series.clock]);
  const logs = new Set((query.get("log") ?? seriesCharts.flatMap(({ key, isLog }) => (isLog ? [key] : [])).join(" ")).split(" "));
  const shownRange = useShared(range);
  return (
    <section aria-label="Charts">
      <div class="bar">
        <h2>Charts</h2>
        {series.clock && (
          <Choice label="Along" value={axis.name} options={axisChoices(series.clock)} onChoice={(x) => setQuery({ x: x === "step" ? "" : x })} />
        )}
        <SmoothingChoice value={smoothing} />
        <button
          type="button"
          disabled={shownRange === null}
          onClick={() => {
            range.value = null;
          }}
        >
          All steps
        </button>
        <button
          type="button"
          onClick={() => {
            cursor.value = null;
          }}
        >
          Newest step
        </button>
      </div>
      <div class="charts">
        {seriesCharts.map((plan) => (
          <PlannedChart
            key={plan.key}
            plan={plan}
            series={series}
            exact={exact}
            cursor={cursor}
            range={range}
            changes={changes}
            axis={axis}
            isDark={isDark}
            smoothing={smoothing}
            baseline={axis.name === "step" ? baseline : null}
            isLog={logs.has(plan.key)}
            onLog={(isLog) => {
              const after = new Set(logs);
              if (isLog) after.add(plan.key);
              else after.delete(plan.key);
              setQuery({ log: [...after].join(" ") || "none" });
            }}
            fileName={`${run.run}-${plan.key}`}
          />
        ))}
      </div>
      {series.notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
    </section>
  );
}

interface PlannedChartProps extends Omit<RunChartsProps, "run"> {
  plan: SeriesChart;
  axis: ChartAxis;
  isDark: boolean;
  smoothing: Smoothing;
  isLog: boolean;
  onLog(isLog: boolean): void;
  fileName: string;
}

function PlannedChart({ plan, series, exact, baseline, cursor, range, changes, axis, isDark, smoothing, isLog, onLog, fileName }: PlannedChartProps) {
  const own = useMemo(() => linesOf(plan, series, isDark), [plan, series, isDark]);
  const lines = useMemo(() => [...own, ...baselineLines(plan, baseline, isDark)], [own, plan, baseline?.series, isDark]);
  if (own.length === 0) return null;
  return (
    <Chart
      title={plan.title}
      lines={lines}
      cursor={cursor}
      range={range}
      changes={changes}
      axis={axis}
      isLog={isLog}
      onLog={onLog}
      fileName={fileName}
      {...(plan.unit && { unit: plan.unit })}
      exact={exact}
      {...(lines.some(({ recording }) => recording?.smooth) && { note: smoothingNote(smoothing) })}
    />
  );
}

function linesOf({ names }: SeriesChart, { series }: SeriesDocument, isDark: boolean): ChartLine[] {
  const found = Object.entries(names).flatMap(([name, label]) => {
    const line = series.find((each) => each.name === name);
    return line ? [{ label, line }] : [];
  });
  return found.flatMap(({ label, line }, index) =>
    smoothedLines({ ...line, keys: [line.name] }, { label, colour: lineColour(index, isDark), dash: lineDash(index) }),
  );
}

/** Cursor and zoom are written to the address once they stop moving. A step that others write there moves the cursor. */
export function useAddressOf(cursor: StepCursor, range: StepRange): void {
  const asked = useAddress().query.get("step") ?? "";
  const written = useRef(asked);
  useEffect(() => {
    if (asked !== written.current) cursor.value = numberOf(asked);
    written.current = asked;
  }, [asked, cursor]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const write = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        written.current = cursor.settled === null ? "" : String(cursor.settled);
        setQuery({ step: written.current, zoom: range.value?.join("-") ?? "" });
      }, 250);
    };
    const ends = [cursor.listen(write), range.listen(write)];
    return () => {
      clearTimeout(timer);
      for (const end of ends) end();
    };
  }, [cursor, range]);
}

/** The newest step. The stage shows recorded snapshots: where each step has one, its newest is the step of the head, so that both agree. */
function stepOf(run: ServedRunDocument | undefined, series: SeriesDocument | undefined, history: HistoryDocument | undefined): number {
  if (history && history.steps === null && history.states > 0) return history.states - 1;
  return series?.step ?? run?.steps?.done ?? 0;
}

export function numberOf(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}

export function rangeOf(text: string | null): readonly [number, number] | null {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(text ?? "") ?? [];
  return from === undefined ? null : [Number(from), Number(to)];
}

export function rowOf(text: string | null, { tokens }: HistoryDocument): number | null {
  const row = numberOf(text);
  return row !== null && row < tokens ? row : null;
}
