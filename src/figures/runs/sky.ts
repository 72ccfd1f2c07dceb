import { chosenStates } from "../../analysis/states.js";
import { stepOfState } from "../../formats/history.js";
import { axis, seriesOf } from "../panels.js";
import { dotsOf, type Point, pointsOf, rounded } from "./cloud.js";
import { type Absent, defineRunFigure, type RunSource } from "./run-figure.js";

type Sky = readonly { readonly step: number; readonly points: readonly Point[] }[];

async function read(run: RunSource): Promise<Sky | Absent> {
  const history = await run.history();
  const moments = [];
  for (const state of chosenStates(history.states, [0.1]).slice(1)) {
    const { basis, points } = await pointsOf(run, state);
    if (basis.axes.length < 3) return { absent: "its rows never differ in three directions" };
    moments.push({ step: stepOfState(history, state), points: seenFromCentroid(points) });
  }
  return moments;
}

/** A row that is nearer to the centroid, as a share of how far the rows lie from the middle of the view, is in it but for rounding: it has no direction. */
const nearest = 1e-12;

/** The rows around their own centroid, every token counted; one that lies in it is left out. */
function seenFromCentroid(points: readonly Point[]): Point[] {
  const tokens = points.reduce((sum, { population }) => sum + population, 0);
  const centroid = [0, 1, 2].map((axisIndex) => points.reduce((sum, { at, population }) => sum + population * (at[axisIndex] ?? 0), 0) / tokens);
  const farthest = points.reduce((most, { at }) => Math.max(most, Math.hypot(...at)), 0);
  return points
    .map((point) => ({ ...point, at: point.at.map((value, index) => value - (centroid[index] ?? 0)) }))
    .filter(({ at }) => Math.hypot(...at) > nearest * farthest);
}

const degrees = 180 / Math.PI;

function longitude({ at: [x = 0, y = 0] }: Point): number {
  return rounded(Math.atan2(y, x) * degrees);
}

function latitude({ at: [x = 0, y = 0, z = 0] }: Point): number {
  return rounded(Math.asin(z / Math.hypot(x, y, z)) * degrees);
}

/** In which directions the rows lie, as one would see them from their centroid. */
export const sky = defineRunFigure({
  name: "sky",
  overlays: false,
  read,
  describe([run]) {
    const ticks = (values: readonly number[]) => values.map((at) => ({ at, text: `${at < 0 ? "−" : ""}${Math.abs(at)}°` }));
    return {
      schema: "bh-bridge/figure@1",
      name: "sky",
      title: "Sky map of the rows' directions",
      caption:
        "Directions of the distinct rows from their centroid, in the three principal components of the whole training: longitude lies in the first two, the poles are the third. A number is how many tokens share a row.",
      sources: run ? [run.source] : [],
      series: [seriesOf("with a live token", 0), seriesOf("dead tokens alone", 1)],
      panels: (run?.data ?? []).map(({ step, points }) => ({
        title: `Step ${step.toLocaleString("en")}`,
        x: axis("longitude", null, { domain: [-180, 180], ticks: ticks([-180, -90, 0, 90, 180]) }),
        y: axis("latitude", null, { domain: [-90, 90], ticks: ticks([-90, -45, 0, 45, 90]) }),
        equal: true,
        marks: dotsOf(points, longitude, latitude),
      })),
      columns: 2,
    };
  },
});
