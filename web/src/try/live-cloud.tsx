import { useEffect, useRef } from "preact/hooks";
import type { Snapshot } from "../../shared/portable/messages.js";
import { useTheme } from "../theme.js";
import { useWidth } from "../use-width.js";

interface LiveCloudProps {
  readonly snapshot: Snapshot | undefined;
  readonly dead: ReadonlySet<number>;
}

const margin = 26;

/** The rows of the embedding in the plane in which they differ most now. */
export function LiveCloud({ snapshot, dead }: LiveCloudProps) {
  const [frame, width] = useWidth();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { isDark } = useTheme();
  const height = Math.min(width, 420);
  useEffect(() => {
    if (canvas.current && width > 0) draw(canvas.current, width, height, snapshot, dead);
  }, [snapshot, dead, width, height, isDark]);
  const words = snapshot ? `Step ${snapshot.step}: ${snapshot.counts.C} black holes with ${snapshot.counts.P} rows` : "Nothing trained yet";
  return (
    <figure class="live-plot live-cloud">
      <h3>Embedding</h3>
      <div ref={frame}>
        <canvas ref={canvas} role="img" aria-label={words} style={{ width: `${width}px`, height: `${height}px` }} />
      </div>
      <ul class="legend">
        <li>
          <svg width="14" height="14" aria-hidden="true">
            <circle class="live" cx="7" cy="7" r="4" />
          </svg>
          live token, alone
        </li>
        <li>
          <svg width="14" height="14" aria-hidden="true">
            <circle class="dead" cx="7" cy="7" r="4" />
          </svg>
          dead token, alone
        </li>
        <li>
          <svg width="16" height="16" aria-hidden="true">
            <circle class="hole" cx="8" cy="8" r="6" />
          </svg>
          black hole, with its number of rows
        </li>
      </ul>
      <p class="note">The two directions in which the rows differ most at this step, magnified to fill the frame.</p>
    </figure>
  );
}

function draw(canvas: HTMLCanvasElement, width: number, height: number, snapshot: Snapshot | undefined, dead: ReadonlySet<number>): void {
  const density = window.devicePixelRatio;
  canvas.width = width * density;
  canvas.height = height * density;
  const context = canvas.getContext("2d");
  if (!context || !snapshot) return;
  context.scale(density, density);
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const marks = marksOf(snapshot, width, height);
  for (const { row, population, x, y } of marks) {
    const isHole = population > 1;
    const isFilled = !isHole && !dead.has(row);
    context.beginPath();
    context.arc(x, y, isHole ? radiusOf(population) : 3.5, 0, 2 * Math.PI);
    context.fillStyle = colour("--live");
    context.strokeStyle = colour(isHole ? "--hole" : "--dead");
    context.lineWidth = isHole ? 3 : 1.6;
    if (isFilled) context.fill();
    else context.stroke();
  }
  context.fillStyle = colour("--ink");
  context.font = "12px system-ui, sans-serif";
  const labelled: Mark[] = [];
  for (const mark of marks.filter(({ population }) => population > 1).reverse()) {
    if (labelled.some(({ x, y }) => Math.abs(x - mark.x) < 40 && Math.abs(y - mark.y) < 14)) continue;
    labelled.push(mark);
    const isLeft = mark.x > width - 60;
    context.textAlign = isLeft ? "right" : "left";
    context.fillText(String(mark.population), mark.x + (isLeft ? -1 : 1) * (radiusOf(mark.population) + 4), mark.y + 4);
  }
}

/** One value of the embedding, and the number of rows that have it. */
interface Mark {
  readonly row: number;
  readonly population: number;
  readonly x: number;
  readonly y: number;
}

const radiusOf = (population: number) => 5 + 1.2 * Math.sqrt(population);

/** The distinct rows, the largest black hole last. */
function marksOf({ places, classes }: Snapshot, width: number, height: number): Mark[] {
  const furthest = [0, 1].map((axis) => Math.max(1e-12, ...Array.from(classes, (_, row) => Math.abs(places[2 * row + axis] ?? 0))));
  const populations = new Map<number, number>();
  for (const first of classes) populations.set(first, (populations.get(first) ?? 0) + 1);
  const marks = [...populations].map(([row, population]) => ({
    row,
    population,
    x: width / 2 + ((width / 2 - margin) * (places[2 * row] ?? 0)) / (furthest[0] ?? 1),
    y: height / 2 - ((height / 2 - margin) * (places[2 * row + 1] ?? 0)) / (furthest[1] ?? 1),
  }));
  return marks.sort((one, other) => one.population - other.population);
}
