import { chosenStates } from "../../analysis/series.js";
import { stepOfState } from "../../formats/history.js";
import { axis } from "../panels.js";
import { largestPopulation, type Point, pointMarks, pointSeries, pointsOf, rounded } from "./cloud.js";
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
  return Math.atan2(y, x) * degrees;
}

/** The longitude of the largest black hole of the last moment, which the map puts in its middle; 0 without one. */
function middleOf(moments: Sky): number {
  const points = moments.at(-1)?.points ?? [];
  const most = points.reduce((largest, { population }) => Math.max(largest, population), 1);
  const hole = most > 1 ? points.find(({ population }) => population === most) : undefined;
  return hole ? longitude(hole) : 0;
}

/** A longitude from −180° to 180° around the middle of the map. */
function fromMiddle(at: number, middle: number): number {
  return rounded(((((at - middle + 180) % 360) + 360) % 360) - 180);
}

function latitude({ at: [x = 0, y = 0, z = 0] }: Point): number {
  return rounded(Math.asin(z / Math.hypot(x, y, z)) * degrees);
}

/** Directions of the rows from their centroid. */
export const sky = defineRunFigure({
  name: "sky",
  overlays: false,
  read,
  omits: () => "omitted by default, as the cloud shows more",
  describe([run]) {
    const middle = middleOf(run?.data ?? []);
    const largest = largestPopulation(run?.data ?? []);
    const ticks = (values: readonly number[]) => values.map((at) => ({ at, text: `${at < 0 ? "−" : ""}${Math.abs(at)}°` }));
    return {
      title: "Sky map of the rows' directions",
      caption:
        "Directions of the distinct rows from their centroid in the first three principal components of the training: longitude is in the plane of the first two, from the largest black hole of the last snapshot, and the poles are on the third. A pie is a black hole with its live and dead tokens, and the number of both.",
      series: pointSeries,
      panels: (run?.data ?? []).map(({ step, points }) => ({
        title: `Step ${step.toLocaleString("en")}`,
        x: axis("longitude", null, { domain: [-180, 180], ticks: ticks([-180, -90, 0, 90, 180]) }),
        y: axis("latitude", null, { domain: [-90, 90], ticks: ticks([-90, -45, 0, 45, 90]) }),
        equal: true,
        marks: pointMarks(points, largest, (point) => fromMiddle(longitude(point), middle), latitude),
      })),
      columns: 2,
    };
  },
});
