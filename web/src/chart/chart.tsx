import type uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useMemo, useRef } from "preact/hooks";
import { lastUpTo } from "../../shared/read-out.js";
import { saveFile } from "../../shared/save-file.js";
import { shown } from "../figures.js";
import { type ChartAxis, plainAxis } from "./axis.js";
import { type ChartBand, type ChartLine, usePlot } from "./chart-plot.js";
import "./chart.css";
import { Shared, type StepCursor, type StepRange, type TokenChanges, useShared } from "../../shared/step-cursor.js";
import { type ExactValues, legendValue } from "./exact-values.js";

interface ChartProps {
  title: string;
  lines: readonly ChartLine[];
  bands?: readonly ChartBand[];
  cursor: StepCursor;
  range: StepRange;
  /** Steps to mark, for charts over steps. */
  changes?: TokenChanges;
  /** What it runs along; cursor and range stay in the x of the lines. */
  axis?: ChartAxis;
  isLog?: boolean;
  onLog?: (isLog: boolean) => void;
  /** What the numbers are in. */
  unit?: string;
  height?: number;
  fileName: string;
  note?: string;
  /** Recorded values at the cursor, for lines that are reduced. */
  exact?: Shared<ExactValues | null>;
}

/** A chart with more lines has no names below it, and its lines are thin and whole: a processor that draws dashes and wide lines takes a hundred times as long. */
const mostNamedLines = 40;
const stepAxis = plainAxis("step");
const nothingExact = new Shared<ExactValues | null>(null);
const noChanges: TokenChanges = new Shared<readonly number[]>([]);

/** A chart of lines over training steps. All charts of a page have one cursor and one range; a drag zooms, a double click shows all. */
export function Chart(props: ChartProps) {
  const {
    title,
    lines,
    bands = [],
    cursor,
    range,
    axis = stepAxis,
    isLog = false,
    onLog,
    unit,
    height = 210,
    fileName,
    note,
    exact = nothingExact,
    changes = noChanges,
  } = props;
  const isCrowded = lines.length > mostNamedLines;
  const place = useRef<HTMLDivElement>(null);
  const step = useShared(cursor);
  const data = useMemo(() => aligned(lines), [lines]);
  const at = locationOf(data[0] ?? [], step);
  const plot = usePlot(place, { lines, bands, data, axis, cursor, range, changes, at: at === undefined ? null : step, isLog, isCrowded, unit, height });

  const move = (by: number) => {
    const steps = data[0] ?? [];
    const [first = 0, last = 0] = [steps[0] ?? 0, steps.at(-1) ?? 0];
    const from = at ?? steps.length - 1;
    // Between the points of reduced lines there are steps as well.
    const isReduced = lines.some(({ recording }) => recording?.isReduced);
    const next = isReduced ? Math.max(first, Math.min(last, (step ?? last) + by)) : steps[Math.max(0, Math.min(steps.length - 1, from + by))];
    if (next !== undefined && next !== null) cursor.value = next;
  };

  return (
    <section class="chart" aria-label={title}>
      <header>
        <h3>
          {title}
          {unit && <span class="unit">{unit}</span>}
        </h3>
        <span class="tools">
          {onLog && (
            <button type="button" class="small" aria-pressed={isLog} onClick={() => onLog(!isLog)} title="Logarithmic axis">
              log
            </button>
          )}
          <button type="button" class="small" title="Save the numbers as CSV" onClick={() => saveNumbers(fileName, ...columnsOf(lines, data, axis))}>
            CSV
          </button>
          <button type="button" class="small" title="Save the picture as PNG" onClick={() => savePicture(plot.current ?? undefined, fileName)}>
            PNG
          </button>
        </span>
      </header>
      <div
        class="plot"
        style={`--plot-height: ${height}px`}
        ref={place}
        tabIndex={0}
        role="slider"
        aria-valuemin={data[0]?.[0] ?? 0}
        aria-valuemax={data[0]?.at(-1) ?? 0}
        aria-valuenow={(at === undefined ? data[0]?.at(-1) : step) ?? 0}
        aria-label={`${title} over ${axis.name === "step" ? "steps" : axis.name}: ${lines.map(({ label }) => label).join(", ")}. Arrow keys move the cursor.`}
        onKeyDown={(event) => {
          const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -50, PageDown: 50 }[event.key];
          if (by === undefined) return;
          event.preventDefault();
          move(event.shiftKey ? by * 10 : by);
        }}
      />
      {!isCrowded && <Legend lines={lines} step={step} exact={exact} axis={axis} />}
      {note && <p class="note">{note}</p>}
    </section>
  );
}

interface LegendProps {
  lines: readonly ChartLine[];
  step: number | null;
  exact: Shared<ExactValues | null>;
  axis: ChartAxis;
}

/** The names of the lines, and their recorded values at the cursor. */
function Legend({ lines, step, exact, axis }: LegendProps) {
  const values = useShared(exact);
  return (
    <ul class="legend">
      {lines
        .filter(({ isFaint }) => !isFaint)
        .map((line) => {
          const value = legendValue(line, step, values);
          const isEarlier = value !== undefined && step !== null && value.step < step && axis.given === "step";
          return (
            <li key={line.label}>
              <Swatch colour={line.colour} dash={line.dash ?? []} />
              {line.label} <output title={value && String(value.value)}>{value ? shown(value.value) : "…"}</output>
              {isEarlier && <small> at {shown(value.step)}</small>}
              {typeof value?.smooth === "number" && <small class="smoothed"> smoothed {shown(value.smooth)}</small>}
            </li>
          );
        })}
    </ul>
  );
}

/** What is saved: the x of the lines, their place on the axis where that is another, and the lines. */
function columnsOf(
  lines: readonly ChartLine[],
  data: readonly (readonly (number | null)[])[],
  { name, given, of }: ChartAxis,
): [names: string[], columns: (readonly (number | null)[])[]] {
  const [x = [], ...columns] = data;
  const places = name === given ? [] : [x.map((value) => of(value ?? 0))];
  return [
    [given, ...(name === given ? [] : [name]), ...lines.map(({ label }) => label)],
    [x, ...places, ...columns],
  ];
}

/** How a line is drawn, small. */
function Swatch({ colour, dash }: { colour: string; dash: number[] }) {
  return (
    <svg width="26" height="8" aria-hidden="true" class="swatch">
      <line x1="0" y1="4" x2="26" y2="4" stroke={colour} stroke-width="2.5" stroke-dasharray={dash.join(" ")} />
    </svg>
  );
}

/** Lines over one x: that of all of them. */
function aligned(lines: readonly ChartLine[]): (number | null)[][] {
  const [first, ...others] = lines;
  if (first && others.every(({ x }) => x === first.x || (x.length === first.x.length && x.every((value, at) => value === first.x[at])))) {
    return [[...first.x], ...lines.map(({ y }) => [...y])];
  }
  const x = [...new Set(lines.flatMap((line) => [...line.x]))].sort((a, b) => a - b);
  const places = new Map(x.map((value, at) => [value, at]));
  const columns = lines.map((line) => {
    const column = new Array<number | null>(x.length).fill(null);
    line.x.forEach((value, at) => {
      column[places.get(value) ?? 0] = line.y[at] ?? null;
    });
    return column;
  });
  return [x, ...columns];
}

/** The place of the last x that is not beyond a step. */
function locationOf(x: readonly (number | null)[], step: number | null): number | undefined {
  return step === null || x.length === 0 ? undefined : Math.max(0, lastUpTo(x, step));
}

/** Columns as CSV (RFC 4180), the first of them the steps. */
function csvOf(names: readonly string[], columns: readonly (readonly (number | null)[])[]): Blob {
  const cell = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = (columns[0] ?? []).map((_, at) => columns.map((column) => column[at] ?? "").join(","));
  return new Blob([`${[names.map(cell).join(","), ...rows].join("\r\n")}\r\n`], { type: "text/csv" });
}

/** Let the browser keep columns as CSV, the first of them the steps. */
function saveNumbers(name: string, names: readonly string[], columns: readonly (readonly (number | null)[])[]): void {
  saveFile(`${name}.csv`, csvOf(names, columns));
}

/** Let the browser keep a plot as PNG. */
function savePicture(plot: uPlot | undefined, name: string): void {
  const canvas = plot?.ctx.canvas;
  if (!canvas) return;
  const picture = document.createElement("canvas");
  picture.width = canvas.width;
  picture.height = canvas.height;
  const context = picture.getContext("2d");
  if (!context) return;
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, picture.width, picture.height);
  context.drawImage(canvas, 0, 0);
  picture.toBlob((blob) => blob && saveFile(`${name}.png`, blob));
}
