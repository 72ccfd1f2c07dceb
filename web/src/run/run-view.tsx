import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { smoothed } from "../../../src/figures/reduce-figure.js";
import { type SeriesChart, seriesCharts } from "../../shared/series-names.js";
import { setQuery, useAddress } from "../address.js";
import { useChanges } from "../changes.js";
import { axisChoices, axisName, axisOf, type ChartAxis } from "../chart/axis.js";
import { Chart } from "../chart/chart.js";
import type { ChartLine } from "../chart/chart-plot.js";
import { type HoveredToken, Shared, type StepCursor, type StepRange, useShared } from "../chart/step-cursor.js";
import { Replay } from "../cloud/replay.js";
import { Choice, SmoothingRange, Status, smoothingOf } from "../controls.js";
import type { BasisDocument, HistoryDocument, SeriesDocument, ServedRunDocument } from "../documents.js";
import { duration, shown } from "../figures.js";
import { stopRun, useDocument, wordsOf } from "../server.js";
import { lineColour, lineDash, useTheme } from "../theme.js";
import { RunFacts } from "./run-facts.js";

/** One run: what it is, its charts and its replay, which share one cursor. */
export function RunView({ id }: { id: string }) {
  const { query } = useAddress();
  const [turn, setTurn] = useState(0);
  const { document: run, problem } = useDocument<ServedRunDocument>(`/api/runs/${id}`, turn);
  const [seriesTurn, setSeriesTurn] = useState(0);
  const cursor = useMemo<StepCursor>(() => new Shared(numberOf(query.get("step"))), [id]);
  const range = useMemo<StepRange>(() => new Shared(rangeOf(query.get("zoom"))), [id]);
  const hovered = useMemo<HoveredToken>(() => new Shared<number | null>(null), [id]);
  useAddressOf(cursor, range);
  const shownRange = useShared(range);
  const zoomed = shownRange ? `&from=${Math.max(0, shownRange[0] - 1)}&to=${shownRange[1] + 1}` : "";
  const { document: series } = useDocument<SeriesDocument>(`/api/runs/${id}/series?points=2000${zoomed}`, seriesTurn);
  const history = useDocument<HistoryDocument>(`/api/runs/${id}/history`, seriesTurn);
  const basis = useDocument<BasisDocument>(`/api/runs/${id}/basis`, history.document === undefined ? 0 : 1);
  useChanges((change) => {
    if (change.kind === "everything" || (change.kind === "run" && change.run.id === id)) {
      setTurn((before) => before + 1);
      setSeriesTurn((before) => before + 1);
    }
  });
  if (!run) return <p class={problem ? "problem" : "waiting"}>{problem ?? "Reading the run …"}</p>;
  return (
    <main class="run">
      <RunHead run={run} step={series?.step ?? run.steps?.done ?? 0} />
      {run.problem && <p class="problem">{run.problem}</p>}
      {run.alerts.map(({ step, message }) => (
        <p class="alert" key={step}>
          Step {shown(step)}: {message}
        </p>
      ))}
      {history.document && basis.document && (
        <Replay history={history.document} basis={basis.document} cursor={cursor} hovered={hovered} followed={rowOf(query.get("token"), history.document)} />
      )}
      {!history.document && history.problem && <p class="note">{history.problem}</p>}
      {!series && <p class="waiting">Reading the lines …</p>}
      {series && <RunCharts series={series} cursor={cursor} range={range} run={run} />}
      <RunFacts run={run} />
    </main>
  );
}

function RunHead({ run, step }: { run: ServedRunDocument; step: number }) {
  const result = run.result;
  return (
    <header class="head">
      <div>
        <h2>{run.name}</h2>
        <p class="sub">
          <Status status={run.status} />
          {run.reason && <span>{run.reason}</span>}
          <span>{run.preset}</span>
          {run.seed !== null && <span>seed {run.seed}</span>}
          <span title="Hash of the configuration">{run.configHash?.slice(0, 8)}</span>
          {run.status !== "running" && <span>{duration(run.seconds)}</span>}
        </p>
        {run.steps && (
          <p class="progress">
            <progress value={step} max={run.steps.planned} aria-label="Steps" />{" "}
            <span data-testid="progress">
              {shown(step)} of {shown(run.steps.planned)} steps
            </span>
          </p>
        )}
      </div>
      {result && (
        <div class={`judged ${result.verdict.result}`}>
          <b>{result.verdict.result}</b>
          <p>{result.verdict.reason}</p>
        </div>
      )}
      {run.status === "running" && <StopButton id={run.id} name={run.name} />}
    </header>
  );
}

function StopButton({ id, name }: { id: string; name: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [said, setSaid] = useState("");
  const stop = async () => {
    dialog.current?.close();
    try {
      await stopRun(id);
      setSaid("It stops after this step, with a checkpoint");
    } catch (error) {
      setSaid(wordsOf(error));
    }
  };
  return (
    <div class="stop">
      <button type="button" class="danger" onClick={() => dialog.current?.showModal()} disabled={said !== ""}>
        Stop …
      </button>
      <p role="status">{said}</p>
      <dialog ref={dialog} aria-label="Stop this run?">
        <h3>Stop {name}?</h3>
        <p>The training stops after the current step and saves a checkpoint. You can resume it to the same bits.</p>
        <form method="dialog">
          <button type="submit">Let it train</button>
          <button type="button" class="danger" onClick={() => void stop()}>
            Stop it
          </button>
        </form>
      </dialog>
    </div>
  );
}

interface RunChartsProps {
  series: SeriesDocument;
  cursor: StepCursor;
  range: StepRange;
  run: ServedRunDocument;
}

function RunCharts({ series, cursor, range, run }: RunChartsProps) {
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
        <SmoothingRange value={smoothing} />
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
            cursor={cursor}
            range={range}
            axis={axis}
            isDark={isDark}
            smoothing={smoothing}
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
  smoothing: number;
  isLog: boolean;
  onLog(isLog: boolean): void;
  fileName: string;
}

function PlannedChart({ plan, series, cursor, range, axis, isDark, smoothing, isLog, onLog, fileName }: PlannedChartProps) {
  const lines = useMemo(() => linesOf(plan, series, isDark, smoothing), [plan, series, isDark, smoothing]);
  if (lines.length === 0) return null;
  return (
    <Chart
      title={plan.title}
      lines={lines}
      cursor={cursor}
      range={range}
      axis={axis}
      isLog={isLog}
      onLog={onLog}
      fileName={fileName}
      {...(plan.unit && { unit: plan.unit })}
      {...(smoothing > 0 && { note: `Smoothed: exponential mean, weight ${smoothing}, without the bias of its beginning; the raw line stays behind it` })}
    />
  );
}

function linesOf({ names }: SeriesChart, { series }: SeriesDocument, isDark: boolean, smoothing: number): ChartLine[] {
  const found = Object.entries(names).flatMap(([name, label]) => {
    const line = series.find((each) => each.name === name);
    return line ? [{ label, line }] : [];
  });
  return found.flatMap(({ label, line: { x, y } }, index): ChartLine[] => {
    const own = { label, x, colour: lineColour(index, isDark), dash: lineDash(index) };
    if (smoothing === 0) return [{ ...own, y }];
    return [
      { ...own, label: `${label}, raw`, y, isFaint: true },
      { ...own, y: smoothed(y, smoothing), width: 2 },
    ];
  });
}

/** Cursor and zoom are written to the address once they stop moving. */
function useAddressOf(cursor: StepCursor, range: StepRange): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const write = () => {
      clearTimeout(timer);
      timer = setTimeout(() => setQuery({ step: cursor.value === null ? "" : String(cursor.value), zoom: range.value?.join("-") ?? "" }), 250);
    };
    const ends = [cursor.listen(write), range.listen(write)];
    return () => {
      clearTimeout(timer);
      for (const end of ends) end();
    };
  }, [cursor, range]);
}

function numberOf(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}

function rangeOf(text: string | null): readonly [number, number] | null {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(text ?? "") ?? [];
  return from === undefined ? null : [Number(from), Number(to)];
}

function rowOf(text: string | null, { tokens }: HistoryDocument): number | null {
  const row = numberOf(text);
  return row !== null && row < tokens ? row : null;
}
