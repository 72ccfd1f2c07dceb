import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { onPaper } from "../../shared/on-paper.js";
import { type StepCursor, type StepRange, type TokenChanges, useShared } from "../../shared/step-cursor.js";
import { shown } from "../figures.js";
import { chartHeight } from "../printing.js";
import { useTheme } from "../theme.js";
import type { ChartAxis } from "./axis.js";
import type { Recording } from "./exact-values.js";

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
  /** A count, which keeps its value until it changes. */
  isStepped?: boolean;
  /** What its legend reads; the line itself if omitted. */
  recording?: Recording;
}

/** The lines of a recording: the raw one, and if it is smoothed, the smoothed one in front. */
export function smoothedLines(recording: Recording, look: Pick<ChartLine, "label" | "colour" | "dash">): ChartLine[] {
  const { x, y, smooth } = recording;
  const own = { ...look, x, recording, isStepped: y.every((value) => value === null || Number.isInteger(value)) };
  if (!smooth) return [{ ...own, y }];
  return [
    { ...own, label: `${look.label}, raw`, y, isFaint: true },
    { ...own, y: smooth, width: 2 },
  ];
}

/** The space between two lines, by their places among the lines. */
export interface ChartBand {
  upper: number;
  lower: number;
  colour: string;
}

/** What a plot draws. */
export interface PlotInput {
  lines: readonly ChartLine[];
  bands: readonly ChartBand[];
  /** The x of the lines, and the y of each. */
  data: readonly (readonly (number | null)[])[];
  axis: ChartAxis;
  cursor: StepCursor;
  range: StepRange;
  /** Steps with a mark of their own. */
  changes: TokenChanges;
  /** The x of the cursor; null for none. */
  at: number | null;
  isLog: boolean;
  /** Whether there are too many lines for dashes: they are drawn thin and solid. */
  isCrowded: boolean;
  unit: string | undefined;
  height: number;
}

const stepped = uPlot.paths.stepped?.({ align: 1 });
const hairline = () => 1 / devicePixelRatio;
const font = "11px system-ui, sans-serif";

/** A plot in an element: rebuilt when its shape changes; otherwise only its values, range and cursor are updated. */
export function usePlot(place: RefObject<HTMLDivElement | null>, input: PlotInput): RefObject<uPlot | undefined> {
  const { lines, bands, data, axis, cursor, range, changes, at, isLog, unit, height } = input;
  const plot = useRef<uPlot | undefined>(undefined);
  const newest = useRef(input);
  newest.current = input;
  const { isDark } = useTheme();
  const shownRange = useShared(range);
  const shape = `${lines.map(({ label, colour, dash, isFaint, width, isStepped }) => [label, colour, dash, isFaint, width, isStepped].join()).join("|")}/${bands.length}/${isLog}/${isDark}/${height}/${unit}/${axis.name}`;

  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    const made = new uPlot(optionsOf(newest, element), drawnData(newest.current), element);
    plot.current = made;
    made.over.addEventListener("dblclick", () => {
      range.value = null;
    });
    made.over.addEventListener("mouseleave", () => cursor.endPreview());
    made.over.addEventListener("click", () => {
      const step = stepAt(made, newest.current); // uPlot keeps the click after a drag to itself
      if (step !== undefined) cursor.value = step;
    });
    const fit = () => made.setSize({ width: element.clientWidth, height: chartHeight(height) });
    const resize = new ResizeObserver(fit);
    resize.observe(element);
    const end = onPaper(fit);
    return () => {
      end();
      resize.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, cursor, range]);

  useLayoutEffect(() => {
    const made = plot.current;
    if (!made) return;
    made.setData(drawnData(newest.current), false);
    const [first, last] = shownRange ?? [data[0]?.[0] ?? 0, data[0]?.at(-1) ?? 1];
    const [min, max] = [axis.of(first), axis.of(last)];
    made.setScale("x", { min, max: max > min ? max : min + 1 });
  }, [data, axis, shownRange, shape]);

  useEffect(() => changes.listen(() => plot.current?.redraw(false, false)), [changes]);

  useLayoutEffect(() => {
    const made = plot.current;
    if (!made) return;
    // Scales that have just been set hold once uPlot has drawn, which it does after this.
    queueMicrotask(() => {
      if (made !== plot.current) return;
      if (at === null) made.setCursor({ left: -10, top: -10 }, false);
      else made.setCursor({ left: made.valToPos(axis.of(at), "x"), top: 10 }, false);
    });
  }, [at, data, axis, shownRange, shape]);
  return plot;
}

/** The numbers at their places on the axis. */
function drawnData({ data, axis }: PlotInput): uPlot.AlignedData {
  return [(data[0] ?? []).map((x) => axis.of(x ?? 0)), ...data.slice(1)] as uPlot.AlignedData;
}

function optionsOf(newest: { readonly current: PlotInput }, element: HTMLElement): uPlot.Options {
  const { lines, bands, isLog, isCrowded, height } = newest.current;
  return {
    width: element.clientWidth,
    height: chartHeight(height),
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 6 }, focus: { prox: -1 } },
    scales: { x: { time: false }, y: isLog ? { distr: 3 } : { range: linearRange } },
    axes: axesOf(newest.current, element),
    series: [
      {},
      ...lines.map(({ label, colour, dash = [], isFaint, width = 1.6, isStepped }) => ({
        label,
        stroke: colour,
        ...(isCrowded && width <= 2 ? { width: hairline() } : { width, dash }),
        alpha: isFaint ? 0.28 : 1,
        points: { show: false },
        spanGaps: true,
        ...(isStepped && stepped && { paths: stepped }),
      })),
    ],
    bands: bands.map(({ upper, lower, colour }) => ({ series: [upper + 1, lower + 1] as [number, number], fill: `${colour}2e` })),
    hooks: hooksOf(newest),
  };
}

/** The range of a linear axis. uPlot shows 0 to 100 for values that are all 0. */
const linearRange: uPlot.Range.Function = (_, low, high) =>
  low === 0 && high === 0 ? [-1, 1] : Number.isFinite(low) ? uPlot.rangeNum(low, high, 0.1, true) : [low, high];

function axesOf({ axis: along, isLog }: PlotInput, element: HTMLElement): uPlot.Axis[] {
  const styles = getComputedStyle(element);
  const grid = styles.getPropertyValue("--grid");
  const axis = { stroke: styles.getPropertyValue("--quiet"), grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 }, font };
  return [
    {
      ...axis,
      size: 28,
      label: along.name,
      labelSize: 16,
      labelGap: 0,
      labelFont: font,
      values: (_, ticks) => ticks.map((tick) => (tick % 1 === 0 || along.name !== "step" ? shown(tick) : "")),
    },
    {
      ...axis,
      size: 56,
      ...(isLog && { filter: powersOfTen, grid: { ...axis.grid, filter: powersOfTen }, ticks: { ...axis.ticks, filter: powersOfTen } }),
      values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : shortTick(tick))),
    },
  ];
}

/** The pointer previews a step for the shared cursor; a drag sets the shared range. */
function hooksOf(newest: { readonly current: PlotInput }): uPlot.Hooks.Arrays {
  return {
    draw: [(u) => drawChanges(u, newest.current)],
    setCursor: [
      (u) => {
        // A chart that is redrawn keeps the last event: only a pointer that is over it counts.
        if (u.cursor.event?.type !== "mousemove" || u.cursor.left === undefined || u.cursor.left < 0) return;
        const step = stepAt(u, newest.current);
        if (step !== undefined) newest.current.cursor.preview(step);
      },
    ],
    setSelect: [
      (u) => {
        if (u.select.width < 4) return;
        const { axis, range } = newest.current;
        const ends = [u.select.left, u.select.left + u.select.width] as const;
        range.value = [axis.back(u.posToVal(ends[0], "x")), axis.back(u.posToVal(ends[1], "x"))];
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      },
    ],
  };
}

/** A line at each step at which the token of the page changes its black hole. */
function drawChanges({ ctx, bbox, root, scales, valToPos }: uPlot, { changes, axis }: PlotInput): void {
  const { min = 0, max = 0 } = scales["x"] ?? {};
  ctx.save();
  ctx.strokeStyle = getComputedStyle(root).getPropertyValue("--followed");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  for (const step of changes.value) {
    const place = axis.of(step);
    if (min === null || max === null || place < min || place > max) continue;
    const x = Math.round(valToPos(place, "x", true)) + 0.5;
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.restore();
}

/** The x of the lines under the pointer: any step, also one between the points of reduced lines. */
function stepAt(u: uPlot, { data, axis }: PlotInput): number | undefined {
  const [first, last] = [data[0]?.[0], data[0]?.at(-1)];
  if (first === undefined || first === null || last === undefined || last === null || u.cursor.left === undefined) return undefined;
  return Math.min(last, Math.max(first, axis.back(u.posToVal(u.cursor.left, "x"))));
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
