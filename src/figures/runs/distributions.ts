import { forEachRow } from "../../analysis/elements.js";
import { stateGeometry } from "../../analysis/geometry/state-geometry.js";
import { stepMotion } from "../../analysis/motion/step-motion.js";
import { chosenStates } from "../../analysis/states.js";
import { readState, stepOfState } from "../../formats/history.js";
import type { Mark, Panel } from "../figure.js";
import { binEdges, countsIn, cumulativeShare } from "../histogram.js";
import { axis, countAxis, seriesOf } from "../panels.js";
import { type Absent, defineRunFigure, type RunSource } from "./run-figure.js";

const bins = 24;

const quantities = [
  { key: "norms", title: "Norms of the rows", label: "‖row‖₂", unit: "weights", scale: "linear" },
  { key: "distances", title: "Distances from the centroid", label: "distance", unit: "weights", scale: "linear" },
  { key: "cells", title: "Moves in the step", label: "‖ΔW′‖₂", unit: "lattice cells", scale: "log" },
] as const;

/** Of every row, in one state; a row that is not finite is left out. */
interface Moment {
  readonly step: number;
  readonly norms: readonly number[];
  readonly distances: readonly number[];
  /** Of the move to this state; null for the first one, and without a lattice. */
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

/** How the rows' norms, their distances from the centroid, and their moves are distributed at a few moments. */
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
      if (edges.length === 0) return []; // nothing has a place on the axis
      const x = axis(label, unit, { scale, domain: [edges[0] ?? 0, edges.at(-1) ?? 1] });
      const counted = told.map(({ series, values }): Mark => ({ mark: "bins", series, edges, counts: countsIn(values, edges) }));
      const summed = told.map(({ series, values }): Mark => ({ mark: "line", series, ...cumulativeShare(values, edges), curve: "step" }));
      return [
        { title, x, y: countAxis("rows"), equal: false, marks: counted },
        { title: `${title}, cumulative`, x, y: axis("share of the rows", null, { domain: [0, 1] }), equal: false, marks: summed },
      ];
    });
    return {
      schema: "bh-bridge/figure@1",
      name: "distributions",
      title: "Distributions over the rows",
      caption:
        "At the first state, after a hundredth and a tenth of the training, and at the end. Rows that do not move have no place on a logarithmic axis: they are in no bin, and the cumulative share begins with them.",
      sources: run ? [run.source] : [],
      series: moments.map(({ step }, index) => seriesOf(`step ${step.toLocaleString("en")}`, index)),
      panels,
      columns: 2,
    };
  },
});
