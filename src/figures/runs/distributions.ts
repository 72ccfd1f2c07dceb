import { forEachRow } from "../../analysis/elements.js";
import { stateGeometry } from "../../analysis/geometry/state-geometry.js";
import { stepMotion } from "../../analysis/motion/step-motion.js";
import { chosenStates } from "../../analysis/series.js";
import { binEdges, cumulativeShare } from "../../analysis/statistics/statistics.js";
import { readState, stepOfState } from "../../formats/history.js";
import type { Mark, Panel } from "../figure.js";
import { axis, seriesOf } from "../panels.js";
import { type Absent, defineRunFigure, type RunSource, tokenGroups } from "./run-figure.js";

const quantities = [
  { key: "norms", title: "Norms of the rows", label: "‖row‖₂", unit: "weights", scale: "linear" },
  { key: "distances", title: "Distances from the centroid", label: "distance", unit: "weights", scale: "linear" },
  { key: "cells", title: "Moves in the step", label: "‖ΔW′‖₂", unit: "lattice cells", scale: "log" },
] as const;

/** Quantities of the finite rows of a group in one state. */
interface Moment {
  readonly step: number;
  readonly norms: readonly number[];
  readonly distances: readonly number[];
  /** Sizes of the moves to this state; null for the first state, and without a lattice. */
  readonly cells: readonly number[] | null;
}

/** The moments of each group of tokens that has any. */
type Distributions = readonly { readonly name: string; readonly moments: readonly Moment[] }[];

async function read(run: RunSource): Promise<Distributions | Absent> {
  const history = await run.history();
  const { names, ofRow } = await tokenGroups(run);
  const moments = chosenStates(history.states).map((state) => {
    const matrix = readState(history, state);
    const { centroid } = stateGeometry(matrix);
    const norms: number[] = [];
    const distances: number[] = [];
    forEachRow(matrix, (values) => {
      norms.push(Math.hypot(...values));
      distances.push(Math.hypot(...values.map((value, dim) => value - (centroid[dim] ?? 0))));
    });
    const cells = state === 0 ? undefined : stepMotion(readState(history, state - 1), matrix).lattice?.L2;
    return { step: stepOfState(history, state), norms, distances, cells: cells ? [...cells] : null };
  });
  const groups = names.flatMap((name, group) => {
    const of = (values: readonly number[]) => values.filter((value, row) => ofRow[row] === group && Number.isFinite(value));
    const own = moments.map(({ step, norms, distances, cells }) => ({ step, norms: of(norms), distances: of(distances), cells: cells && of(cells) }));
    return own.some(({ norms }) => norms.length > 0) ? [{ name, moments: own }] : [];
  });
  return groups.length > 0 ? groups : { absent: "none of its rows is finite" };
}

/** Distributions of the rows' norms, distances from the centroid, and moves at a few moments, for live and for dead tokens. */
export const distributions = defineRunFigure({
  name: "distributions",
  overlays: false,
  read,
  describe([run]) {
    const groups = run?.data ?? [];
    const panels = quantities.flatMap(({ key, title, label, unit, scale }): Panel[] => {
      const ends = binEdges(
        groups.flatMap(({ moments }) => moments.flatMap((moment) => moment[key] ?? [])),
        1,
        scale,
      );
      if (ends.length === 0) return [];
      const x = axis(label, unit, { scale, domain: [ends[0] ?? 0, ends.at(-1) ?? 1] });
      return groups.map(({ name, moments }) => ({
        title: groups.length > 1 ? `${title}, ${name}` : title,
        x,
        y: axis("share of the tokens", null, { domain: [0, 1] }),
        equal: false,
        marks: moments.flatMap((moment, series): Mark[] =>
          moment[key]?.length ? [{ mark: "line", series, ...cumulativeShare(moment[key], ends), curve: "step" }] : [],
        ),
      }));
    });
    return {
      title: "Distributions over the tokens",
      caption:
        "Share of the tokens with at most this value, at the first snapshot, after 1 % and 10 % of the training, and at the end. A vertical rise is a value that many tokens have. A logarithmic axis cannot show tokens that do not move: their share is where the line begins.",
      series: (groups[0]?.moments ?? []).map(({ step }, index) => seriesOf(`step ${step.toLocaleString("en")}`, index)),
      panels,
      columns: groups.length,
    };
  },
});
