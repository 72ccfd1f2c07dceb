import type { Axis, Figure, Mark, Panel } from "./figure.js";
import { fewestSmoothed, stepLabel } from "./panels.js";

/** The exponential mean of a line, corrected for its initial bias (Kingma & Ba 2015, section 3). Gaps stay gaps. */
export function smoothed(y: readonly (number | null)[], weight: number): (number | null)[] {
  let mean = 0;
  let norm = 0;
  return y.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    norm = weight * norm + (1 - weight);
    return mean / norm;
  });
}

type Scale = Axis["scale"];
type Line = Mark & { mark: "line" };
type Band = Mark & { mark: "band" };

/** Columns per point: each column of the axis keeps at most its first, lowest, highest and last point, and the start of a gap. */
const pointsOfColumn = 4;

/**
 * A line with fewer points that looks the same. The axis is divided into columns of equal width as displayed; each keeps its first, lowest, highest and last
 * point. Every kept point is exact, so the few first steps on a logarithmic axis stay complete.
 * @param limit points at most, about, per scale; a shorter line is unchanged.
 * @param scales the scales on which the line may be displayed.
 */
export function reduceSeries(line: SmoothLine, limit: number, scales: readonly Scale[] = ["linear"]): Points {
  return pointsAt(line, keptPoints(line, limit, scales, "straight"));
}

type Points = { x: number[]; y: (number | null)[] };

function pointsAt({ x, y }: SmoothLine, kept: readonly number[]): Points {
  return { x: kept.map((index) => x[index] ?? 0), y: kept.map((index) => y[index] ?? null) };
}

/** The indices of the kept points of a line, in ascending order. Steps of equal value count as one point, which loses nothing. */
export function keptPoints({ x, y }: SmoothLine, limit: number, scales: readonly Scale[], curve: Line["curve"]): number[] {
  const changes = curve === "step" && x.length > limit ? [...x.keys()].filter((at) => at === 0 || at === x.length - 1 || y[at] !== y[at - 1]) : [...x.keys()];
  if (changes.length <= limit) return changes;
  const kept = scales.flatMap((scale) =>
    columnsOf(
      changes.map((at) => x[at] ?? 0),
      scale,
      Math.max(1, Math.floor(limit / pointsOfColumn)),
    ).flatMap(({ from, to }) => extremes(y, changes.slice(from, to))),
  );
  return ascending(kept);
}

const ascending = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b);

/** Ranges of consecutive points in the same column of the axis; of a path that turns back, ranges with equally many points. */
function columnsOf(x: readonly number[], scale: Scale, columns: number): { from: number; to: number }[] {
  const isAscending = x.every((value, at) => at === 0 || value >= (x[at - 1] ?? value));
  const along = isAscending ? x.map((value) => positionOn(scale, value)) : [...x.keys()];
  const first = along.find(Number.isFinite) ?? 0;
  const width = ((along.at(-1) ?? 0) - first) / columns || 1;
  const columnOf = (at: number) => Math.min(columns - 1, Math.floor(((along[at] ?? 0) - first) / width));
  const starts = [...along.keys()].filter((at) => at === 0 || columnOf(at) !== columnOf(at - 1));
  return starts.map((from, index) => ({ from, to: starts[index + 1] ?? x.length }));
}

/** The position of a value on an axis, up to a factor. */
function positionOn(scale: Scale, value: number): number {
  if (scale === "log") return Math.log(value);
  return scale === "symlog" ? Math.sign(value) * Math.log1p(Math.abs(value)) : value;
}

/** First, lowest, highest and last of some points, and the start of a gap. */
function extremes(y: readonly (number | null)[], points: readonly number[]): number[] {
  const [first = 0, last = first] = [points[0], points.at(-1)];
  let [lowest, highest] = [first, first];
  for (const index of points) {
    const value = y[index] ?? null;
    if (value === null) continue;
    if (value < (y[lowest] ?? Number.POSITIVE_INFINITY)) lowest = index;
    if (value > (y[highest] ?? Number.NEGATIVE_INFINITY)) highest = index;
  }
  const gap = points.find((index) => (y[index] ?? null) === null);
  return [first, lowest, highest, last, ...(gap === undefined ? [] : [gap])];
}

/** Maximum number of points per line, of which more would not be visible, and per figure. */
const mostOfLine = 2400;
const mostOfFigure = 12_000;
const fewestOfLine = 160;

/** A figure with long lines reduced to their visible points, including minima and maxima. */
export function reduceFigure(figure: Figure): Figure {
  const lines = figure.panels.flatMap(({ marks }) => marks.filter(({ mark }) => mark === "line" || mark === "band")).length;
  const limit = Math.min(mostOfLine, Math.max(fewestOfLine, Math.floor(mostOfFigure / lines)));
  return { ...figure, panels: figure.panels.map((panel) => reducePanel(panel, limit)) };
}

function reducePanel(panel: Panel, limit: number): Panel {
  const { scale } = panel.x;
  const rows = panel.marks.flatMap((mark) => (mark.mark === "spans" ? mark.names.length : []))[0] ?? 0;
  if (rows > mostRows) return withFewerRows(panel);
  const own = panel.marks.map((mark) => (isExact(mark) ? edgesOf(mark).flatMap((y) => keptPoints({ x: mark.x, y }, limit, [scale], mark.curve)) : []));
  const marks = panel.marks.map((mark, index): Mark => {
    if (mark.mark === "band" && !mark.solid) return mark.x.length <= limit ? mark : { ...mark, ...reducedBand(mark, scale, limit) };
    if (!isExact(mark)) return mark;
    // Lines and stacked areas over the same steps keep the points of each other, so that the order of their values is right at each of them.
    const together = isThin(mark) ? own[index] : own.filter((_, other) => isSameX(panel.marks[other], mark)).flat();
    return keptMark(mark, ascending(together ?? []));
  });
  return { ...panel, marks };
}

/** Maximum number of rows of spans, of which more would not be visible. */
const mostRows = 256;

type Spans = Mark & { mark: "spans" };

interface SpanRows {
  /** First row of each drawn row, and the number of all rows. */
  readonly starts: readonly number[];
  /** Maximum number of rows that one drawn row holds. */
  readonly held: number;
  /** Whether a drawn row holds only rows that are equal. */
  readonly areEqual: boolean;
}

/** At most 256 drawn rows. Equal neighbours share drawn rows; if that is not enough, each drawn row holds equally many. */
export function spanRows(mark: Spans): SpanRows {
  const rows = mark.names.length;
  const ends = Array.from({ length: rows }, (_, row) => row);
  if (rows <= mostRows) return { starts: [...ends, rows], held: 1, areEqual: true };
  const blocks = equalRows(mark);
  if (blocks.length > mostRows) {
    const held = Math.ceil(rows / mostRows);
    return { starts: [...ends.filter((row) => row % held === 0), rows], held, areEqual: false };
  }
  let held = 1;
  const starts = blocks.flatMap((first, block) => {
    const size = (blocks[block + 1] ?? rows) - first;
    const drawn = Math.min(size, 1 + Math.floor((size / rows) * (mostRows - blocks.length)));
    held = Math.max(held, Math.ceil(size / drawn));
    return Array.from({ length: drawn }, (_, index) => first + Math.floor((index * size) / drawn));
  });
  return { starts: [...starts, rows], held, areEqual: true };
}

/** The first row of each block of rows with equal spans. */
function equalRows({ names, dead, row, from, to, hole }: Spans): number[] {
  const lives = new Array<string>(names.length).fill("");
  for (const [at, each] of row.entries()) lives[each] += `${from[at]} ${to[at]} ${hole[at]};`;
  return [...names.keys()].filter((each) => each === 0 || lives[each] !== lives[each - 1] || dead[each] !== dead[each - 1]);
}

function withFewerRows(panel: Panel): Panel {
  let rows = 0;
  const marks = panel.marks.map((mark): Mark => {
    if (mark.mark !== "spans") return mark;
    const { starts } = spanRows(mark);
    rows = starts.length - 1;
    return groupedSpans(mark, starts);
  });
  return { ...panel, y: { ...panel.y, domain: [rows, 0] }, marks };
}

/** Rows that each hold several of the given ones: a span has the black hole of most of them, or of the larger one if there are as many. */
export function groupedSpans({ tokens: _, ...mark }: Spans, starts: readonly number[]): Spans {
  const members = starts.slice(0, -1).map((first, row) => ({ first, end: starts[row + 1] ?? first }));
  const spans = { row: [] as number[], from: [] as number[], to: [] as number[], hole: [] as number[] };
  let at = 0;
  for (const [row, { end }] of members.entries()) {
    const first = at;
    while (at < mark.row.length && (mark.row[at] ?? 0) < end) at++;
    for (const span of mostCommon(mark, first, at)) {
      spans.row.push(row);
      spans.from.push(span.from);
      spans.to.push(span.to);
      spans.hole.push(span.hole);
    }
  }
  const nameOf = ({ first, end }: (typeof members)[number]) =>
    end - first === 1 ? (mark.names[first] ?? "") : `${mark.names[first]} … ${mark.names[end - 1]} (${end - first} tokens)`;
  const deadShare = ({ first, end }: (typeof members)[number]) => mark.dead.slice(first, end).reduce((sum, share) => sum + share, 0) / (end - first);
  return { ...mark, ...spans, names: members.map(nameOf), dead: members.map(deadShare) };
}

/** The most common black hole of several rows over the steps. */
function mostCommon({ row, from, to, hole }: Spans, first: number, end: number): { from: number; to: number; hole: number }[] {
  const changes = Array.from({ length: end - first }, (_, index) => first + index).sort((a, b) => (from[a] ?? 0) - (from[b] ?? 0));
  const counts = new Map<number, number>();
  const add = (number: number, rows: number) => counts.set(number, (counts.get(number) ?? 0) + rows);
  const found: { from: number; to: number; hole: number }[] = [];
  for (const [index, at] of changes.entries()) {
    add(hole[at] ?? 0, 1);
    if (at > first && row[at - 1] === row[at]) add(hole[at - 1] ?? 0, -1);
    const step = from[at] ?? 0;
    if (from[changes[index + 1] ?? -1] === step) continue;
    const [[most = 0] = []] = [...counts].sort((a, b) => b[1] - a[1] || (a[0] || Number.POSITIVE_INFINITY) - (b[0] || Number.POSITIVE_INFINITY));
    const last = found.at(-1);
    if (last?.hole === most) continue;
    if (last) last.to = to[at - 1] ?? step;
    found.push({ from: step, to: step, hole: most });
  }
  const last = found.at(-1);
  if (last) last.to = to[end - 1] ?? last.to;
  return found;
}

/** Whether every kept point of a mark is a recorded one: lines and stacked areas. */
export function isExact(mark: Mark): mark is Line | Band {
  return mark.mark === "line" || (mark.mark === "band" && mark.solid === true);
}

function isThin(mark: Mark): boolean {
  return mark.mark === "line" && mark.thin === true;
}

/** The values of a line, or the lower and the upper edge of an area. */
export function edgesOf(mark: Line | Band): readonly SmoothLine["y"][] {
  return mark.mark === "line" ? [mark.y] : [mark.low, mark.high];
}

function keptMark(mark: Line | Band, kept: readonly number[]): Mark {
  if (mark.mark === "line") return { ...mark, ...pointsAt(mark, kept) };
  const { x, y: low } = pointsAt({ x: mark.x, y: mark.low }, kept);
  return { ...mark, x, low, high: pointsAt({ x: mark.x, y: mark.high }, kept).y };
}

function isSameX(other: Mark | undefined, { x }: Line | Band): boolean {
  if (other === undefined || !isExact(other) || isThin(other)) return false;
  return other.x === x || (other.x.length === x.length && other.x.every((value, at) => value === x[at]));
}

/** The lowest and highest edge of each column, from its first to its last point, so that every value stays within the band. */
function reducedBand({ x, low, high }: Band, scale: Scale, limit: number): Pick<Band, "x" | "low" | "high"> {
  const columns = columnsOf(x, scale, Math.max(1, Math.floor(limit / 2))).map(({ from, to }) => ({ from, to, ends: ascending([from, to - 1]) }));
  const edge = (values: readonly (number | null)[], pick: (...values: number[]) => number) =>
    columns.flatMap(({ from, to, ends }) => {
      const known = values.slice(from, to).filter((value) => value !== null);
      return ends.map(() => (known.length === 0 ? null : pick(...known)));
    });
  return { x: columns.flatMap(({ ends }) => ends.map((at) => x[at] ?? 0)), low: edge(low, Math.min), high: edge(high, Math.max) };
}

/** Approximate share of a line's points over which it is smoothed. */
const reach = 0.01;
const fewestReached = 5;
/** Maximum number of points of a smoothed line, which has no spikes. */
const mostDrawn = 300;

/** The points of a line; null is a gap. */
export interface SmoothLine {
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** Weight of the exponential mean of a line with some number of points; 0 for a short line, which is not smoothed. */
export function smoothingWeight(points: number): number {
  return points < fewestSmoothed ? 0 : 1 - 1 / Math.max(fewestReached, reach * points);
}

/** The smoothed line of each mark of each panel; null for marks that are not lines over the steps, and for short lines. */
export function smoothLines({ panels }: Pick<Figure, "panels">): (SmoothLine | null)[][] {
  return panels.map(({ x, marks }) => marks.map((mark) => (x.label === stepLabel && isSmoothable(mark) ? smoothLine(mark, x.scale) : null)));
}

/** A figure in which each line that is to be smoothed is a faint line with its smoothed one over it. */
export function withSmoothLines(figure: Figure): Figure {
  const smooth = smoothLines(figure);
  const panels = figure.panels.map((panel, index) => ({ ...panel, marks: smoothedOver(panel.marks, smooth[index] ?? []) }));
  return { ...figure, panels };
}

function smoothedOver(marks: readonly Mark[], smooth: readonly (SmoothLine | null)[]): Mark[] {
  const isSmoothed = (mark: Mark, at: number) => mark.mark === "line" && mark.smooth === true && smooth[at] !== null;
  const over = marks.flatMap((mark, at): Mark[] => {
    const line = smooth[at];
    return mark.mark === "line" && isSmoothed(mark, at) && line ? [{ ...mark, ...line, smooth: false }] : [];
  });
  return [...marks.map((mark, at) => (mark.mark === "line" && isSmoothed(mark, at) ? { ...mark, thin: true } : mark)), ...over];
}

function isSmoothable(mark: Mark): mark is Mark & { mark: "line" } {
  return mark.mark === "line" && mark.curve === "straight" && !mark.thin && mark.x.length >= fewestSmoothed;
}

function smoothLine({ x, y }: SmoothLine, scale: Scale): SmoothLine {
  return reduceSeries({ x, y: smoothed(y, smoothingWeight(x.length)) }, mostDrawn, [scale]);
}
