import type { SeriesChart } from "../../shared/series-names.js";
import { hrefOf, setQuery } from "../address.js";
import { type ChartLine, smoothedLines } from "../chart/chart-plot.js";
import { type ExactValues, seriesValues } from "../chart/exact-values.js";
import type { SeriesDocument, ServedRunDocument } from "../documents.js";
import { difference, shown } from "../figures.js";
import { useDocument } from "../server.js";
import { lineDash } from "../theme.js";

/** A run that others are compared with, and its lines. */
export interface Baseline {
  readonly id: string;
  readonly run: ServedRunDocument | undefined;
  readonly series: SeriesDocument | undefined;
}

/** The baseline of the address; null for none, and for the run itself. @param smoothed part of the query of its lines. */
export function useBaseline(baseline: string | null, id: string, smoothed: string): Baseline | null {
  const asked = baseline === null || baseline === id ? null : `/api/runs/${baseline}`;
  const { document: run } = useDocument<ServedRunDocument>(asked);
  const { document: series } = useDocument<SeriesDocument>(asked && `${asked}/series?points=2000${smoothed}`);
  return baseline === null || asked === null ? null : { id: baseline, run, series };
}

/** Recorded values are asked for by the names of series; those of the baseline have their own. */
const keyOf = (name: string) => `baseline/${name}`;

/** The recorded values of the baseline at a step, by key of its recordings. */
export async function baselineValues(id: string, query: string, signal: AbortSignal): Promise<ExactValues["values"]> {
  const values = await seriesValues(`/api/runs/${id}/series?${query}`, signal);
  return new Map([...values].map(([name, value]) => [keyOf(name), value]));
}

const mostChanges = 6;

/** How a run differs from the baseline: its settings and its results. */
export function BaselineComparison({ run, baseline }: { run: ServedRunDocument; baseline: Baseline }) {
  const other = baseline.run;
  const paths = other ? [...new Set([...Object.keys(run.config ?? {}), ...Object.keys(other.config ?? {})])] : [];
  const changed = paths.filter((path) => path !== "name" && JSON.stringify(run.config?.[path]) !== JSON.stringify(other?.config?.[path]));
  return (
    <section class="comparison" aria-label="Comparison with the baseline">
      <p>
        Compared with {other ? <a href={hrefOf("run", other.id, { baseline: other.id })}>{other.name}</a> : "…"}
        <button type="button" class="small" onClick={() => setQuery({ baseline: "" })}>
          Clear baseline
        </button>
      </p>
      <dl>
        <Result name="Mean loss" own={run.loss} other={other?.loss ?? null} />
        <Result name="C" own={run.C} other={other?.C ?? null} />
        <Result name="P" own={run.P} other={other?.P ?? null} />
      </dl>
      <p class="settings">
        {changed.length === 0 && other && "Same settings."}
        {changed.slice(0, mostChanges).map((path) => (
          <span key={path}>
            {path} <del>{shown(other?.config?.[path])}</del> → <ins>{shown(run.config?.[path])}</ins>
          </span>
        ))}
        {changed.length > mostChanges && <span>{changed.length - mostChanges} more</span>}
      </p>
    </section>
  );
}

function Result({ name, own, other }: { name: string; own: number | null; other: number | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {shown(own)} {own !== null && other !== null && <small>{difference(own, other)}</small>}
      </dd>
    </div>
  );
}

/** The lines of the baseline in a chart over steps: grey, with the dash of each quantity. */
export function baselineLines({ names }: SeriesChart, baseline: Baseline | null, isDark: boolean): ChartLine[] {
  const found = Object.entries(names).flatMap(([name, label]) => {
    const line = baseline?.series?.series.find((each) => each.name === name);
    return line ? [{ label, line }] : [];
  });
  const colour = isDark ? "#9fadba" : "#77828e";
  return found.flatMap(({ label, line }, index) => {
    const lines = smoothedLines({ ...line, keys: [keyOf(line.name)] }, { label: `${label}, baseline`, colour, dash: lineDash(index) });
    return lines.filter(({ isFaint }) => !isFaint);
  });
}
