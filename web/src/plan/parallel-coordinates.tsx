import { useState } from "preact/hooks";
import { hrefOf } from "../address.js";
import { shown } from "../figures.js";
import { type SweptRow, scaleOf, shade } from "./swept-row.js";

const height = 240;
const margin = { top: 34, bottom: 18, side: 70 };

/** Every trial as a line through what it sets and what came out; the darker, the larger the measure. */
export function ParallelCoordinates({ rows, axes, measure }: { rows: readonly SweptRow[]; axes: readonly string[]; measure: string }) {
  const [near, setNear] = useState<string | null>(null);
  const scales = axes.filter((name) => rows.some(({ values }) => values[name] !== undefined)).map((name) => ({ name, ...scaleOf(rows, name) }));
  const width = Math.max(1160, scales.length * 130);
  const x = (index: number) => margin.side + (index * (width - 2 * margin.side)) / Math.max(1, scales.length - 1);
  const y = (share: number) => height - margin.bottom - share * (height - margin.top - margin.bottom);
  const of = scales.find(({ name }) => name === measure);
  const share = (row: SweptRow) => of?.place(row.values[measure] ?? 0) ?? 0;
  const ordered = [...rows].sort((a, b) => Number(a.id === near) - Number(b.id === near) || share(a) - share(b));
  const told = rows.find(({ id }) => id === near);
  return (
    <figure class="panel wide">
      <figcaption>
        Parallel coordinates of {rows.length} trials; darker: larger {measure}.{" "}
        <span class="note">
          {told
            ? Object.entries(told.values)
                .map(([name, value]) => `${name} ${shown(value)}`)
                .join(", ")
            : "Point at a line to read it; a click opens its run."}
        </span>
      </figcaption>
      <div class="scroll">
        <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`Parallel coordinates: ${axes.join(", ")}. The table below has the same numbers.`}>
          {ordered.map((row) => {
            const points = scales.flatMap(({ name, place }, index) => {
              const value = row.values[name];
              return value === undefined ? [] : [`${x(index)},${y(place(value))}`];
            });
            return (
              // biome-ignore lint/a11y/noStaticElementInteractions: the table of trials has the same content, with links
              <polyline
                key={row.id}
                points={points.join(" ")}
                class={near === row.id ? "trial near" : "trial"}
                style={near === row.id ? {} : { stroke: shade(share(row)) }}
                onMouseEnter={() => setNear(row.id)}
                onMouseLeave={() => setNear(null)}
                onClick={() => {
                  if (row.run) location.hash = hrefOf("run", row.run);
                }}
              />
            );
          })}
          {scales.map(({ name, place, ticks }, index) => (
            <g key={name}>
              <line class="axis" x1={x(index)} x2={x(index)} y1={y(0)} y2={y(1)} />
              <text class="axis-name" x={x(index)} y={14} text-anchor="middle">
                {name.split(".").at(-1)}
              </text>
              {ticks.map((tick) => (
                <text key={tick} class="tick" x={x(index) + 6} y={y(place(tick)) + 4}>
                  {shown(tick)}
                </text>
              ))}
            </g>
          ))}
        </svg>
      </div>
    </figure>
  );
}
