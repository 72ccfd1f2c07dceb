import type { Axis, Mark, Panel } from "../figure.js";

type Values = readonly (number | null)[];

/** The numbers that a mark spans on an axis. */
const spans: { readonly [Kind in Mark["mark"]]: (mark: Mark & { mark: Kind }) => { x: Values[]; y: Values[] } } = {
  line: ({ x, y }) => ({ x: [x], y: [y] }),
  band: ({ x, low, high }) => ({ x: [x], y: [low, high] }),
  dots: ({ x, y }) => ({ x: [x], y: [y] }),
  bars: ({ values, from }) => ({ x: [from ?? [0], values], y: [] }),
  pies: ({ x, y }) => ({ x: [x], y: [y] }),
  bins: ({ edges, counts }) => ({ x: [edges], y: [[0], counts] }),
  cells: ({ edges, rows }) => ({ x: [edges], y: [[0, rows.length]] }),
  spans: ({ names, from, to }) => ({ x: [from, to], y: [[0, names.length]] }),
  links: ({ x1, y1, x2, y2 }) => ({ x: [x1, x2], y: [y1, y2] }),
  rule: ({ axis, at }) => (axis === "x" ? { x: [[at]], y: [] } : { x: [], y: [[at]] }),
};

/** The series that a mark shows: none if all of its values are missing, or cannot be placed on its vertical axis. */
export function drawnSeries(mark: Mark, scale: Axis["scale"]): readonly number[] {
  const isPlaced = (value: number | null | undefined) => value !== null && value !== undefined && (scale !== "log" || value > 0);
  switch (mark.mark) {
    case "line":
      return mark.y.some(isPlaced) ? [mark.series] : [];
    case "band":
      return mark.x.some((_, at) => isPlaced(mark.low[at]) && isPlaced(mark.high[at]) && mark.low[at] !== mark.high[at]) ? [mark.series] : [];
    case "dots":
      return mark.y.some(isPlaced) ? [mark.series] : [];
    case "bars":
      return mark.values.some((value, bar) => value !== (mark.from?.[bar] ?? null)) ? [mark.series] : [];
    case "pies":
      return mark.slices.filter((_, slice) => mark.values.some((sizes) => (sizes[slice] ?? 0) > 0));
    case "bins":
      return mark.counts.some((count) => count > 0) ? [mark.series] : [];
    case "cells":
      return mark.levels.filter((_, level) => mark.rows.some((row) => row.includes(String(level))));
    case "spans":
      return [
        ...mark.levels.filter((_, level) => mark.hole.some((hole) => levelOfHole(hole, mark.levels.length) === level)),
        ...(mark.dead.some((share) => share > 0) ? [mark.gutter] : []),
      ];
    case "links":
      return mark.x1.length > 0 ? [mark.series] : [];
    case "rule":
      return [];
  }
}

/** Index of the level of a black hole in a mark of spans: the last one is that of all further ones; −1 for alone. */
export function levelOfHole(hole: number, levels: number): number {
  return Math.min(hole, levels) - 1;
}

/** The range of a panel's data on an axis, with some room on vertical axes. Values that a logarithmic scale cannot show are ignored. */
export function extentOf(panel: Panel, direction: "x" | "y"): [number, number] {
  const axis = panel[direction];
  if (axis.domain) return [...axis.domain];
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const mark of panel.marks) {
    const span = (spans[mark.mark] as (mark: Mark) => { x: Values[]; y: Values[] })(mark);
    for (const value of span[direction].flat()) {
      if (value === null || (axis.scale === "log" && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return widened(axis.zero ? Math.min(low, 0) : low, high, axis, direction);
}

/** Room at the ends of a vertical axis, where lines and dots would be cut in half. Zero needs none. */
const room = 0.04;

function widened(low: number, high: number, { scale }: Axis, direction: "x" | "y"): [number, number] {
  if (low > high) return scale === "log" ? [0.1, 1] : [0, 1];
  if (scale === "log") return low === high ? [low / 2, high * 2] : direction === "x" ? [low, high] : [low * (low / high) ** room, high * (high / low) ** room];
  if (low === high) return low === 0 ? [0, 1] : [Math.min(low, 0), Math.max(high, 0)];
  return direction === "x" ? [low, high] : [low === 0 ? 0 : low - room * (high - low), high + room * (high - low)];
}

/** The functions of a scale and their inverses. */
const linear = [(value: number) => value, (place: number) => place] as const;
const along = {
  linear,
  category: linear,
  log: [Math.log, Math.exp],
  symlog: [(value: number) => Math.sign(value) * Math.log1p(Math.abs(value)), (place: number) => Math.sign(place) * Math.expm1(Math.abs(place))],
} as const satisfies Record<Axis["scale"], readonly [(value: number) => number, (place: number) => number]>;

/** Share of an axis between its start and a value. */
export function shareOf(scale: Axis["scale"], value: number, [from, to]: readonly [number, number]): number {
  const [place] = along[scale];
  return (place(value) - place(from)) / (place(to) - place(from));
}

/** The value at a share of an axis. */
export function valueAt(scale: Axis["scale"], share: number, [from, to]: readonly [number, number]): number {
  const [place, value] = along[scale];
  return value(place(from) + share * (place(to) - place(from)));
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** Positions and texts of an axis' ticks; undefined for the defaults of the drawing library. */
export function axisTicks(
  { scale, ticks }: Axis,
  [low, high]: readonly [number, number],
  room: number,
): { at: number[]; text: (value: number) => string } | undefined {
  if (ticks) return { at: ticks.map(({ at }) => at), text: (value) => ticks.find(({ at }) => at === value)?.text ?? "" };
  if (scale === "log") return { at: logTicks(low, high, room), text: powerText };
  if (scale === "symlog") return { at: symlogTicks(low, high, room), text: (value) => value.toLocaleString("en") };
  return undefined;
}

/** Powers of ten: some of them if there are many, with simple multiples if there are few. */
function logTicks(low: number, high: number, room: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const powers = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  if (powers.length < 3) {
    const multiples = powers.length < 2 ? [1, 2, 3, 5, 7] : [1, 3];
    const around = [first - 1, ...powers, last + 1].flatMap((power) => multiples.map((multiple) => multiple * 10 ** power));
    return [...new Set(around)].filter((value) => value >= low && value <= high);
  }
  const every = Math.ceil(powers.length / room);
  return powers.filter((power) => power % every === 0).map((power) => 10 ** power);
}

/** 0, powers of ten, three times these if there is room, and the last value. */
function symlogTicks(low: number, high: number, room: number): number[] {
  const powers = Array.from({ length: Math.max(0, Math.ceil(Math.log10(Math.max(high, 1)))) }, (_, power) => 10 ** power);
  const inside = (values: readonly number[]) => values.filter((value) => value >= low && value < high * 0.6);
  const fine = inside([0, ...powers.flatMap((power) => [power, 3 * power])]);
  return [...(fine.length < room ? fine : inside([0, ...powers])), high];
}

/** `0.01`, `100`, `10⁻⁶`, `3 × 10⁻⁶`. */
function powerText(value: number): string {
  if (value >= 0.001 && value < 100_000) return Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 6 });
  const exponent = Math.floor(Math.log10(value) + 1e-9);
  const factor = Number((value / 10 ** exponent).toPrecision(3));
  const power = `10${exponent < 0 ? "⁻" : ""}${[...String(Math.abs(exponent))].map((digit) => superscripts[Number(digit)]).join("")}`;
  return factor === 1 ? power : `${factor} × ${power}`;
}
