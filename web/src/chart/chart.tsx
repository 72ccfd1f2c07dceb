import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { shown } from "../figures.js";
import { useTheme } from "../theme.js";
import { type ChartAxis, plainAxis } from "./axis.js";
import { csvOf, download } from "./save-chart.js";
import { type StepCursor, type StepRange, useShared } from "./step-cursor.js";

/** One line of a chart. */
export interface ChartLine {
  label: string;
  x: readonly number[];
  y: readonly (number | null)[];
  colour: string;
  dash?: number[];
  /** A line behind others: the raw one of a smoothed, or a single seed. */
  isFaint?: boolean;
  width?: number;
}

/** The space between two lines, by their places among the lines. */
export interface ChartBand {
  upper: number;
  lower: number;
  colour: string;
}

interface ChartProps {
  title: string;
  lines: readonly ChartLine[];
  bands?: readonly ChartBand[];
  cursor: StepCursor;
  range: StepRange;
  /** What it runs along; cursor and range stay in the x of the lines. */
  axis?: ChartAxis;
  isLog?: boolean;
  onLog?: (isLog: boolean) => void;
  /** What the numbers are in. */
  unit?: string;
  height?: number;
  fileName: string;
  note?: string;
}

/** More lines than these have no names below a chart, and are thin and whole: a processor that draws dashes and wide lines takes a hundred times as long. */
const mostNamedLines = 40;
const stepAxis = plainAxis("step");
const hairline = () => 1 / devicePixelRatio;

/** A chart of lines over training steps. All charts of a page have one cursor and one range; a drag zooms, a double click shows all. */
export function Chart(props: ChartProps) {
  const { title, lines, bands = [], cursor, range, axis: along = stepAxis, isLog = false, onLog, unit, height = 210, fileName, note } = props;
  const isCrowded = lines.length > mostNamedLines;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const { isDark } = useTheme();
  const step = useShared(cursor);
  const data = useMemo(() => aligned(lines), [lines]);
  const drawn = useMemo(() => [(data[0] ?? []).map((x) => along.of(x ?? 0)), ...data.slice(1)] as uPlot.AlignedData, [data, along]);
  const newest = useRef({ data, along });
  newest.current = { data, along };
  const shape = `${lines.map(({ label, colour, dash, isFaint, width }) => [label, colour, dash, isFaint, width].join()).join("|")}/${bands.length}/${isLog}/${isDark}/${height}/${unit}/${along.name}`;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const styles = getComputedStyle(element);
    const ink = styles.getPropertyValue("--quiet");
    const grid = styles.getPropertyValue("--grid");
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 }, font: "11px system-ui, sans-serif" };
    const made = new uPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 6 }, focus: { prox: -1 } },
        scales: { x: { time: false }, y: { distr: isLog ? 3 : 1 } },
        axes: [
          {
            ...axis,
            size: 28,
            label: along.name,
            labelSize: 16,
            labelGap: 0,
            labelFont: "11px system-ui, sans-serif",
            values: (_, ticks) => ticks.map((tick) => (tick % 1 === 0 || along.name !== "step" ? shown(tick) : "")),
          },
          {
            ...axis,
            size: 56,
            ...(isLog && { filter: powersOfTen, grid: { ...axis.grid, filter: powersOfTen }, ticks: { ...axis.ticks, filter: powersOfTen } }),
            values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : shortTick(tick))),
          },
        ],
        series: [
          {},
          ...lines.map(({ label, colour, dash = [], isFaint, width = 1.6 }) => ({
            label,
            stroke: colour,
            ...(isCrowded && width <= 2 ? { width: hairline() } : { width, dash }),
            alpha: isFaint ? 0.28 : 1,
            points: { show: false },
            spanGaps: true,
          })),
        ],
        bands: bands.map(({ upper, lower, colour }) => ({ series: [upper + 1, lower + 1] as [number, number], fill: `${colour}2e` })),
        hooks: {
          setCursor: [
            (u) => {
              if (!u.cursor.event || u.cursor.left === undefined || u.cursor.left < 0) return; // moved by us, or away
              const at = newest.current.data[0]?.[u.cursor.idx ?? -1];
              if (at !== undefined) cursor.value = at;
            },
          ],
          setSelect: [
            (u) => {
              if (u.select.width < 4) return;
              const ends = [u.select.left, u.select.left + u.select.width] as const;
              range.value = [newest.current.along.back(u.posToVal(ends[0], "x")), newest.current.along.back(u.posToVal(ends[1], "x"))];
              u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
        },
      },
      drawn,
      element,
    );
    plot.current = made;
    made.over.addEventListener("dblclick", () => {
      range.value = null;
    });
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, cursor, range]);

  const shownRange = useShared(range);
  useEffect(() => {
    const made = plot.current;
    if (!made) return;
    made.setData(drawn, false);
    const [first, last] = shownRange ?? [data[0]?.[0] ?? 0, data[0]?.at(-1) ?? 1];
    const [min, max] = [along.of(first), along.of(last)];
    made.setScale("x", { min, max: max > min ? max : min + 1 });
  }, [drawn, shownRange, shape]);

  const at = placeOf(data[0] ?? [], step);
  useEffect(() => {
    const made = plot.current;
    const x = at === undefined ? undefined : data[0]?.[at];
    if (!made) return;
    // Scales that have just been set hold once uPlot has drawn, which it does after this.
    queueMicrotask(() => {
      if (made !== plot.current) return;
      if (x === undefined || x === null) made.setCursor({ left: -10, top: -10 }, false);
      else made.setCursor({ left: made.valToPos(along.of(x), "x"), top: 10 }, false);
    });
  }, [at, drawn, shownRange, shape]);

  const move = (by: number) => {
    const steps = data[0] ?? [];
    const from = at ?? steps.length - 1;
    const next = steps[Math.max(0, Math.min(steps.length - 1, from + by))];
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
          <button
            type="button"
            class="small"
            title="Save the numbers as CSV"
            onClick={() => download(`${fileName}.csv`, csvOf(...columnsOf(lines, data, along)))}
          >
            CSV
          </button>
          <button type="button" class="small" title="Save the picture as PNG" onClick={() => savePicture(plot.current, fileName)}>
            PNG
          </button>
        </span>
      </header>
      <div
        class="plot"
        ref={place}
        tabIndex={0}
        role="slider"
        aria-valuemin={data[0]?.[0] ?? 0}
        aria-valuemax={data[0]?.at(-1) ?? 0}
        aria-valuenow={data[0]?.[at ?? (data[0]?.length ?? 1) - 1] ?? 0}
        aria-label={`${title} over ${along.name === "step" ? "steps" : along.name}: ${lines.map(({ label }) => label).join(", ")}. Arrow keys move the cursor.`}
        onKeyDown={(event) => {
          const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -50, PageDown: 50 }[event.key];
          if (by === undefined) return;
          event.preventDefault();
          move(event.shiftKey ? by * 10 : by);
        }}
      />
      {!isCrowded && (
        <ul class="legend">
          {lines.map(
            (line, index) =>
              !line.isFaint && (
                <li key={line.label}>
                  <Swatch colour={line.colour} dash={line.dash ?? []} />
                  {line.label} <output>{shown(newestBefore(data[index + 1] ?? [], at ?? (data[0]?.length ?? 1) - 1))}</output>
                </li>
              ),
          )}
        </ul>
      )}
      {note && <p class="note">{note}</p>}
    </section>
  );
}

/** What is saved: the x of the lines, their place on the axis where that is another, and the lines. */
function columnsOf(lines: readonly ChartLine[], data: readonly (readonly (number | null)[])[], { name, given, of }: ChartAxis): Parameters<typeof csvOf> {
  const [x = [], ...columns] = data;
  const places = name === given ? [] : [x.map((value) => of(value ?? 0))];
  return [
    [given, ...(name === given ? [] : [name]), ...lines.map(({ label }) => label)],
    [x, ...places, ...columns],
  ];
}

/** The last number of a column that is not beyond a place. */
function newestBefore(column: readonly (number | null)[], place: number): number | null {
  for (let at = place; at >= 0; at--) {
    const value = column[at];
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

/** How a line is drawn, small. */
function Swatch({ colour, dash }: { colour: string; dash: number[] }) {
  return (
    <svg width="26" height="8" aria-hidden="true" class="swatch">
      <line x1="0" y1="4" x2="26" y2="4" stroke={colour} stroke-width="2.5" stroke-dasharray={dash.join(" ")} />
    </svg>
  );
}

/** Of a logarithmic axis, what is written and ruled: all where it spans little, else powers of ten, and of those not too many. */
function powersOfTen(_: uPlot, ticks: readonly number[]): (number | null)[] {
  const powers = ticks.filter((tick) => Math.abs(Math.log10(tick) % 1) < 1e-9);
  if (powers.length < 3) return ticks.map((tick) => ([1, 2, 5, 10].includes(Number((tick / 10 ** Math.floor(Math.log10(tick))).toPrecision(3))) ? tick : null));
  const every = Math.ceil(powers.length / 6);
  return ticks.map((tick) => (powers.indexOf(tick) >= 0 && powers.indexOf(tick) % every === 0 ? tick : null));
}

function shortTick(tick: number): string {
  const size = Math.abs(tick);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return tick.toExponential(0);
  return size >= 1000 ? `${Number((tick / 1000).toPrecision(3))}k` : String(Number(tick.toPrecision(4)));
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
function placeOf(x: readonly (number | null)[], step: number | null): number | undefined {
  if (step === null || x.length === 0) return undefined;
  let low = 0;
  let high = x.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((x[middle] ?? 0) <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}

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
  picture.toBlob((blob) => blob && download(`${name}.png`, blob));
}
