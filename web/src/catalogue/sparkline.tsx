import type { RunOutline } from "../documents.js";
import { shown } from "../figures.js";

const width = 104;
const height = 26;
const edge = 2.5;

/** P over the steps on a logarithmic axis, from nothing to all tokens: the line of the list. */
export function Sparkline({ outline }: { outline: RunOutline | undefined }) {
  const points = outline?.P ? pointsOf(outline.P) : [];
  const [first] = points;
  const last = points.at(-1);
  if (!outline?.rows || !first || !last) return <svg class="sparkline" width={width} height={height} aria-hidden="true" />;
  const end = Math.log1p(last.step) || 1;
  const xOf = (step: number) => edge + ((width - 2 * edge) * Math.log1p(step)) / end;
  const yOf = (P: number) => height - edge - ((height - 2 * edge) * P) / (outline.rows || 1);
  const steps = points.slice(1).map(({ step, P }) => `H${xOf(step).toFixed(1)}V${yOf(P).toFixed(1)}`);
  const line = `M${xOf(first.step).toFixed(1)},${yOf(first.P).toFixed(1)}${steps.join("")}`;
  const words = `P, tokens in black holes: ${shown(first.P)} at step ${shown(first.step)}, ${shown(last.P)} at step ${shown(last.step)}, of ${shown(outline.rows)} tokens`;
  return (
    <svg class="sparkline" width={width} height={height} role="img" aria-label={words}>
      <title>{words}. Logarithmic steps.</title>
      <path class="area" d={`${line}V${height - edge}H${xOf(first.step).toFixed(1)}Z`} />
      <path class="line" d={line} />
      <circle cx={xOf(last.step)} cy={yOf(last.P)} r="2.2" />
    </svg>
  );
}

function pointsOf({ x, y }: NonNullable<RunOutline["P"]>): { step: number; P: number }[] {
  return x.flatMap((step, at) => {
    const P = y[at];
    return P === null || P === undefined ? [] : [{ step, P }];
  });
}
