import { forEachRow } from "../../analysis/elements.js";
import { stateGeometry } from "../../analysis/geometry/state-geometry.js";
import { binEdges, countsIn, cumulativeShare } from "../../analysis/histogram.js";
import { stepMotion } from "../../analysis/motion/step-motion.js";
import { chosenStates } from "../../analysis/states.js";
import { readState, stepOfState } from "../../formats/history.js";
import type { Mark, Panel } from "../figure.js";
import { axis, countAxis, seriesOf } from "../panels.js";
import { type Absent, defineRunFigure, type RunSource } from "./run-figure.js";

const bins = 24;

const quantities = [
  { key: "norms", title: "Norms of the rows", label: "‖row‖₂", unit: "weights", scale: "linear" },
  { key: "distances", title: "Distances from the centroid", label: "distance", unit: "weights", scale: "linear" },
  { key: "cells", title: "Moves in the step", label: "‖ΔW′‖₂", unit: "lattice cells", scale: "log" },
] as const;

/** Quantities of every finite row in one state. */
interface Moment {
  readonly step: number;
  readonly norms: readonly number[];
  readonly distances: readonly number[];
  /** Sizes of the moves to this state; null for the first state, and without a lattice. */
  readonly cells: readonly number[] | null;
}

async function read(run: RunSource): Promise<readonly Moment[] | Absent> {
  const history = await run.history();
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
    return {
      step: stepOfState(history, state),
      norms: norms.filter(Number.isFinite),
      distances: distances.filter(Number.isFinite),
      cells: cells ? [...cells].filter(Number.isFinite) : null,
    };
  });
  return moments.some(({ norms }) => norms.length > 0) ? moments : { absent: "none of its rows is finite" };
}

/** Distributions of the rows' norms, distances from the centroid, and moves at a few moments. */
export const distributions = defineRunFigure({
  name: "distributions",
  overlays: false,
  read,
  describe([run]) {
    const moments = run?.data ?? [];
    const panels = quantities.flatMap(({ key, title, label, unit, scale }): Panel[] => {
      const told = moments.flatMap((moment, series) => (moment[key]?.length ? [{ series, values: moment[key] }] : []));
      const edges = binEdges(
        told.flatMap(({ values }) => values),
        bins,
        scale,
      );
      if (edges.length === 0) return [];
      const x = axis(label, unit, { scale, domain: [edges[0] ?? 0, edges.at(-1) ?? 1] });
      const counted = told.map(({ series, values }): Mark => ({ mark: "bins", series, edges, counts: countsIn(values, edges) }));
      const summed = told.map(({ series, values }): Mark => ({ mark: "line", series, ...cumulativeShare(values, edges), curve: "step" }));
      return [
        { title, x, y: countAxis("rows"), equal: false, marks: counted },
        { title: `${title}, cumulative`, x, y: axis("share of the rows", null, { domain: [0, 1] }), equal: false, marks: summed },
      ];
    });
    return {
      title: "Distributions over the rows",
      caption:
        "At the first snapshot, after 1 % and 10 % of the training, and at the end. A logarithmic axis cannot show rows that do not move: they are in no bin, but count in the cumulative share.",
      series: moments.map(({ step }, index) => seriesOf(`step ${step.toLocaleString("en")}`, index)),
      panels,
      columns: 2,
    };
  },
});
