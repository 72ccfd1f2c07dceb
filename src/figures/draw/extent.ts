import type { Axis, Mark, Panel } from "../figure.js";

type Values = readonly (number | null)[];

/** The numbers that a mark spans on an axis. */
const spans: { readonly [Kind in Mark["mark"]]: (mark: Mark & { mark: Kind }) => { x: Values[]; y: Values[] } } = {
  line: ({ x, y }) => ({ x: [x], y: [y] }),
  band: ({ x, low, high }) => ({ x: [x], y: [low, high] }),
  dots: ({ x, y }) => ({ x: [x], y: [y] }),
  bars: ({ values }) => ({ x: [[0], values], y: [] }),
  bins: ({ edges, counts }) => ({ x: [edges], y: [[0], counts] }),
  cells: ({ edges, rows }) => ({ x: [edges], y: [[0, rows.length]] }),
  links: ({ x1, y1, x2, y2 }) => ({ x: [x1, x2], y: [y1, y2] }),
  rule: ({ axis, at }) => (axis === "x" ? { x: [[at]], y: [] } : { x: [], y: [[at]] }),
};

/** How far the data of a panel go on one of its axes, with a little room on linear ones; what a logarithmic scale has no place for is left out. */
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

/** Of a vertical axis: a line or a dot on its end would be cut in half. Zero is an end that nothing crosses. */
const room = 0.04;

function widened(low: number, high: number, { scale }: Axis, direction: "x" | "y"): [number, number] {
  if (low > high) return scale === "log" ? [0.1, 1] : [0, 1];
  if (scale === "log") return low === high ? [low / 2, high * 2] : direction === "x" ? [low, high] : [low * (low / high) ** room, high * (high / low) ** room];
  if (low === high) return low === 0 ? [0, 1] : [Math.min(low, 0), Math.max(high, 0)];
  return direction === "x" ? [low, high] : [low === 0 ? 0 : low - room * (high - low), high + room * (high - low)];
}
