import { chosenStates } from "../../analysis/states.js";
import { stepOfState } from "../../formats/history.js";
import { axis, seriesOf } from "../panels.js";
import { dotsOf, largestPopulation, type Point, pointsOf, rounded } from "./cloud.js";
import { type Absent, defineRunFigure, type RunSource } from "./run-figure.js";

type Sky = readonly { readonly step: number; readonly points: readonly Point[] }[];

async function read(run: RunSource): Promise<Sky | Absent> {
  const history = await run.history();
  const moments = [];
  for (const state of chosenStates(history.states, [0.1]).slice(1)) {
    const { basis, points } = await pointsOf(run, state);
    if (basis.axes.length < 3) return { absent: "its rows never spread in three directions" };
    moments.push({ step: stepOfState(history, state), points: seenFromCentroid(points) });
  }
  return moments;
}

/** Rows closer to the centroid, relative to the farthest row from the origin, differ from it by rounding only and have no direction. */
const nearest = 1e-12;

/** The rows relative to their centroid, which weighs every token; rows at the centroid are omitted. */
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

/** Directions of the rows from their centroid. */
export const sky = defineRunFigure({
  name: "sky",
  overlays: false,
  read,
  describe([run]) {
    const largest = largestPopulation(run?.data ?? []);
    const ticks = (values: readonly number[]) => values.map((at) => ({ at, text: `${at < 0 ? "−" : ""}${Math.abs(at)}°` }));
    return {
      title: "Sky map of the rows' directions",
      caption:
        "Directions of the distinct rows from their centroid in the first three principal components of the training: longitude is in the plane of the first two, and the poles are on the third. A number counts the tokens that share a row.",
      series: [seriesOf("with a live token", 0), seriesOf("dead tokens only", 1)],
      panels: (run?.data ?? []).map(({ step, points }) => ({
        title: `Step ${step.toLocaleString("en")}`,
        x: axis("longitude", null, { domain: [-180, 180], ticks: ticks([-180, -90, 0, 90, 180]) }),
        y: axis("latitude", null, { domain: [-90, 90], ticks: ticks([-90, -45, 0, 45, 90]) }),
        equal: true,
        marks: dotsOf(points, largest, longitude, latitude),
      })),
      columns: 2,
    };
  },
});
