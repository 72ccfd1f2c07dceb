import { useWidth } from "../use-width.js";
import "./again.css";

/** A line over steps from `first` on. */
interface PlottedLine {
  readonly name: string;
  /** Kind of the line, which has a colour and a dash in again.css. */
  readonly kind: "recorded" | "now" | "recorded-second" | "now-second";
  readonly first: number;
  readonly values: readonly (number | null | undefined)[];
}

interface LinePlotProps {
  readonly title: string;
  readonly lines: readonly PlottedLine[];
  readonly lastStep: number;
  /** Bounds of the vertical axis that are always shown. */
  readonly floor?: number;
  readonly ceiling?: number;
}

const height = 190;
const margin = { left: 46, right: 10, top: 8, bottom: 24 };

/** Lines over training steps, drawn while they grow. */
export function LinePlot({ title, lines, lastStep, floor, ceiling }: LinePlotProps) {
  const [frame, width] = useWidth();
  const values = lines.flatMap((line) => line.values.filter((value) => value !== null && value !== undefined && Number.isFinite(value))) as number[];
  const low = Math.min(floor ?? Number.POSITIVE_INFINITY, ...values);
  const high = Math.max(ceiling ?? Number.NEGATIVE_INFINITY, ...values);
  const [from, to] = low < high ? [low, high] : Number.isFinite(low) ? [low - 1, low + 1] : [0, 1];
  const legend = lines.filter(({ name }, index) => lines.findIndex((line) => line.name === name) === index);
  const x = (step: number) => margin.left + ((width - margin.left - margin.right) * step) / Math.max(1, lastStep);
  const y = (value: number) => height - margin.bottom - ((height - margin.top - margin.bottom) * (value - from)) / (to - from);
  return (
    <figure class="live-plot">
      <h3>{title}</h3>
      <div ref={frame}>
        {width > 0 && (
          <svg width={width} height={height} role="img" aria-label={`${title} over training steps: ${legend.map(({ name }) => name).join(", ")}`}>
            {ticks(from, to, 6).map((value) => (
              <g key={value}>
                <line class="grid" x1={margin.left} x2={width - margin.right} y1={y(value)} y2={y(value)} />
                <text x={margin.left - 6} y={y(value) + 4} text-anchor="end">
                  {Number(value.toPrecision(6))}
                </text>
              </g>
            ))}
            {ticks(0, lastStep, width < 420 ? 3 : 6).map((step, index, all) => (
              <text
                key={step}
                x={x(step)}
                y={height - 6}
                text-anchor={index === 0 ? "start" : index === all.length - 1 && x(step) > width - 30 ? "end" : "middle"}
              >
                {step}
              </text>
            ))}
            {lines.map(({ kind, first, values: own }) => (
              <path
                key={kind}
                class={`line ${kind}`}
                d={pathOf(
                  own.map((value, at) => [x(first + at), value]),
                  y,
                )}
              />
            ))}
          </svg>
        )}
      </div>
      <ul class="legend">
        {legend.map(({ name, kind }) => (
          <li key={name}>
            <svg width="26" height="10" aria-hidden="true">
              <path class={`line ${kind}`} d="M1 5H25" />
            </svg>
            {name}
          </li>
        ))}
      </ul>
    </figure>
  );
}

function pathOf(points: readonly (readonly [number, number | null | undefined])[], y: (value: number) => number): string {
  let isBroken = true;
  return points
    .map(([at, value]) => {
      if (value === null || value === undefined || !Number.isFinite(value)) {
        isBroken = true;
        return "";
      }
      const command = isBroken ? "M" : "L";
      isBroken = false;
      return `${command}${at.toFixed(1)} ${y(value).toFixed(1)}`;
    })
    .join("");
}

/** Round numbers between two bounds. */
function ticks(from: number, to: number, most: number): number[] {
  const rough = (to - from) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const every = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(from / every - 1e-9);
  return Array.from({ length: Math.floor(to / every + 1e-9) - first + 1 }, (_, index) => (first + index) * every);
}
