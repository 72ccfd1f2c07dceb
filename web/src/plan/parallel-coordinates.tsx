import { useState } from "preact/hooks";
import { hrefOf } from "../address.js";
import { shown } from "../figures.js";
import { useWidth } from "../use-width.js";
import { type Brush, type Brushes, brushBetween } from "./brushes.js";
import { type SweptRow, type SweptScale, shade } from "./swept-row.js";

interface ParallelCoordinatesProps {
  rows: readonly SweptRow[];
  scales: readonly SweptScale[];
  /** The title of an axis. */
  titles(name: string): string;
  measure: string;
  /** Identities of the trials that lie in every brush. */
  chosen: ReadonlySet<string>;
  best: ReadonlySet<string>;
  brushes: Brushes;
  onBrush(name: string, brush: Brush | null): void;
  near: string | null;
  onNear(id: string | null): void;
}

const wide = { height: 270, top: 40, bottom: 22, side: 64 };
/** Width that an axis needs for its name and ticks; on less, the axes lie below each other. */
const axisWidth = 104;
const narrow = { axis: 64, top: 34, side: 22 };
/** Ticks that are nearer than this many pixels would overlap. */
const tickGap = 13;
const tickWidth = 44;
const leastDrag = 4;

/** Where things are: axes next to each other, or below each other on a narrow page. */
interface Layout {
  readonly isStacked: boolean;
  readonly width: number;
  readonly height: number;
  point(axis: number, share: number): readonly [x: number, y: number];
  /** The share of an axis at a point of the drawing. */
  shareAt(x: number, y: number): number;
}

function layoutOf(count: number, width: number): Layout {
  const isStacked = width < count * axisWidth;
  if (isStacked) {
    const length = width - 2 * narrow.side;
    return {
      isStacked,
      width,
      height: narrow.top + (count - 1) * narrow.axis + 34,
      point: (axis, share) => [narrow.side + share * length, narrow.top + axis * narrow.axis],
      shareAt: (x) => (x - narrow.side) / length,
    };
  }
  const length = wide.height - wide.top - wide.bottom;
  const gap = (width - 2 * wide.side) / Math.max(1, count - 1);
  return {
    isStacked,
    width,
    height: wide.height,
    point: (axis, share) => [wide.side + axis * gap, wide.height - wide.bottom - share * length],
    shareAt: (_, y) => (wide.height - wide.bottom - y) / length,
  };
}

/** Every trial as a line through what it sets and what came out. Drag along an axis to filter trials by a range. */
export function ParallelCoordinates(props: ParallelCoordinatesProps) {
  const { rows, scales, titles, measure, chosen, best, brushes, onBrush, near, onNear } = props;
  const [frame, width] = useWidth();
  const layout = layoutOf(scales.length, width);
  const of = scales.find(({ name }) => name === measure);
  const share = (row: SweptRow) => of?.place(row.values[measure] ?? 0) ?? 0;
  const rank = (row: SweptRow) => (row.id === near ? 4 : best.has(row.id) ? 3 : chosen.has(row.id) ? 1 + share(row) : 0);
  const ordered = [...rows].sort((a, b) => rank(a) - rank(b));
  const looks = (row: SweptRow) => {
    if (row.id === near) return { class: "trial near" };
    if (!chosen.has(row.id)) return { class: "trial out" };
    return best.has(row.id) ? { class: "trial best" } : { class: "trial", style: { stroke: shade(share(row)) } };
  };
  return (
    <div ref={frame} class="parallel">
      {width > 0 && (
        <svg
          width={layout.width}
          height={layout.height}
          viewBox={`0 0 ${layout.width} ${layout.height}`}
          role="img"
          aria-label={`Parallel coordinates: ${scales.map(({ name }) => titles(name)).join(", ")}. The table below has the same numbers, and the fields below filter them.`}
        >
          {ordered.map((row) => {
            const points = scales.flatMap(({ name, place }, index) => {
              const value = row.values[name];
              return value === undefined ? [] : [layout.point(index, place(value)).join()];
            });
            return (
              // biome-ignore lint/a11y/noStaticElementInteractions: the table of trials has the same content, with links
              <polyline
                key={row.id}
                points={points.join(" ")}
                {...looks(row)}
                onMouseEnter={() => onNear(row.id)}
                onMouseLeave={() => onNear(null)}
                onClick={() => {
                  if (row.run) location.hash = hrefOf("run", row.run);
                }}
              />
            );
          })}
          {scales.map((scale, index) => (
            <BrushedAxis
              key={scale.name}
              scale={scale}
              title={titles(scale.name)}
              index={index}
              layout={layout}
              brush={brushes.get(scale.name)}
              onBrush={onBrush}
            />
          ))}
        </svg>
      )}
    </div>
  );
}

interface BrushedAxisProps {
  scale: SweptScale;
  title: string;
  index: number;
  layout: Layout;
  brush: Brush | undefined;
  onBrush(name: string, brush: Brush | null): void;
}

/** An axis with its name, its ticks and its brush. */
function BrushedAxis({ scale, title, index, layout, brush, onBrush }: BrushedAxisProps) {
  const [drag, setDrag] = useState<readonly [from: number, to: number] | null>(null);
  const { name, place } = scale;
  const [x1, y1] = layout.point(index, 0);
  const [x2, y2] = layout.point(index, 1);
  const shareOf = (event: PointerEvent & { currentTarget: SVGElement }): number => {
    const box = event.currentTarget.ownerSVGElement?.getBoundingClientRect();
    return layout.shareAt(event.clientX - (box?.left ?? 0), event.clientY - (box?.top ?? 0));
  };
  const length = Math.max(Math.abs(x2 - x1), Math.abs(y2 - y1));
  const ends = (drag ?? (brush && [place(brush.low), place(brush.high)]))?.map((share) => Math.min(1, Math.max(0, share)));
  const hit = layout.isStacked ? { x: x1 - 10, y: y1 - 14, width: length + 20, height: 28 } : { x: x1 - 16, y: y2 - 10, width: 32, height: length + 20 };
  return (
    <g>
      <line class="axis" x1={x1} x2={x2} y1={y1} y2={y2} />
      {ends && <BrushMark from={layout.point(index, ends[0] ?? 0)} to={layout.point(index, ends[1] ?? 1)} isStacked={layout.isStacked} />}
      <text class="axis-name" x={layout.isStacked ? x1 - 8 : x1} y={layout.isStacked ? y1 - 14 : 16} text-anchor={layout.isStacked ? "start" : "middle"}>
        {title}
      </text>
      {ticksWithin(scale, length, layout.isStacked ? tickWidth : tickGap).map((tick) => {
        const [x, y] = layout.point(index, place(tick));
        return layout.isStacked ? (
          <text key={tick} class="tick" x={x} y={y + 19} text-anchor={place(tick) > 0.9 ? "end" : place(tick) < 0.1 ? "start" : "middle"}>
            {shown(tick)}
          </text>
        ) : (
          <text key={tick} class="tick" x={x + 7} y={y + 4}>
            {shown(tick)}
          </text>
        );
      })}
      <rect
        {...hit}
        class={layout.isStacked ? "brushable stacked" : "brushable"}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag([shareOf(event), shareOf(event)]);
        }}
        onPointerMove={(event) => drag && setDrag([drag[0], shareOf(event)])}
        onPointerCancel={() => setDrag(null)}
        onPointerUp={(event) => {
          setDrag(null);
          if (!drag) return;
          const to = shareOf(event);
          onBrush(name, Math.abs(to - drag[0]) * length < leastDrag ? null : brushBetween(scale, drag[0], to));
        }}
      >
        <title>{`Drag along ${title} to filter trials; a click removes the filter`}</title>
      </rect>
    </g>
  );
}

interface BrushMarkProps {
  from: readonly [number, number];
  to: readonly [number, number];
  isStacked: boolean;
}

/** The range of a brush, a little wider than its ends, so that one on a single value can be seen. */
function BrushMark({ from, to, isStacked }: BrushMarkProps) {
  const [left, right] = [Math.min(from[0], to[0]), Math.max(from[0], to[0])];
  const [top, bottom] = [Math.min(from[1], to[1]), Math.max(from[1], to[1])];
  const [dx, dy] = isStacked ? [5, 7] : [7, 5];
  return <rect class="brush" x={left - dx} y={top - dy} width={right - left + 2 * dx} height={bottom - top + 2 * dy} />;
}

/** Ticks that do not overlap: the first and the last, and those between with enough distance to both neighbours. */
function ticksWithin({ ticks, place }: SweptScale, length: number, gap: number): (string | number)[] {
  const last = ticks.at(-1);
  const kept: (string | number)[] = [];
  for (const tick of ticks) {
    const before = kept.at(-1);
    const isClear = (other: string | number | undefined) => other === undefined || Math.abs(place(tick) - place(other)) * length >= gap;
    if (tick === last ? true : isClear(before) && isClear(last)) kept.push(tick);
  }
  return kept;
}
