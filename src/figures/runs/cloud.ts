import { forEachRow } from "../../analysis/for-each-row.js";
import { seenFrom } from "../../analysis/path-basis.js";
import { spreadStates } from "../../analysis/spread-states.js";
import { readState } from "../../formats/read-state.js";
import { stepOfState } from "../../formats/state-of-step.js";
import { axis } from "../axes.js";
import { chosenStates } from "../chosen-states.js";
import type { Mark, Panel } from "../figure.js";
import { basisOfRun } from "../scan/basis-of-run.js";
import { followedRows } from "../scan/stillness-scan.js";
import { seriesOf } from "../styled-series.js";
import { tokenGroups } from "../token-groups.js";
import { type Point, pointsOf, rounded } from "./followed-points.js";
import { type Absent, defineRunFigure } from "./run-figure.js";
import type { RunSource } from "./run-source.js";

/** States of the path of a token, and tokens whose path is drawn: what a page can hold. */
const pathStates = 60;
const mostPaths = 128;

interface Cloud {
  readonly explained: readonly number[];
  readonly moments: readonly { readonly step: number; readonly points: readonly Point[] }[];
  /** Of each group, the paths of its rows one after the other, with a gap between them. */
  readonly paths: readonly { readonly x: readonly number[]; readonly y: readonly (number | null)[] }[];
}

async function read(run: RunSource): Promise<Cloud | Absent> {
  const history = await run.history();
  const basis = await basisOfRun(run);
  if (basis.axes.length < 2) return { absent: "its rows never differ in two directions" };
  const moments = [];
  for (const state of chosenStates(history.states, [0.1])) moments.push({ step: stepOfState(history, state), points: (await pointsOf(run, state)).points });
  return { explained: basis.explained, moments, paths: await pathsOf(run) };
}

async function pathsOf(run: RunSource): Promise<Cloud["paths"]> {
  const history = await run.history();
  const basis = await basisOfRun(run);
  const { names, ofRow } = await tokenGroups(run);
  const followed = followedRows(history.tokens).slice(0, mostPaths);
  const seen = followed.map((): number[][] => []);
  const indexOf = new Map(followed.map((row, index) => [row, index]));
  for (const state of spreadStates(history.states, pathStates)) {
    forEachRow(readState(history, state), (values, row) => {
      const index = indexOf.get(row);
      if (index !== undefined && values.every(Number.isFinite)) seen[index]?.push(seenFrom(basis, values));
    });
  }
  return names.map((_, group) => {
    const own = seen.filter((_path, index) => ofRow[followed[index] ?? 0] === group);
    const points = own.flatMap((path) => [...path.map(([x = 0, y = 0]) => ({ x: rounded(x), y: rounded(y) })), { x: rounded(path.at(-1)?.[0] ?? 0), y: null }]);
    return { x: points.map(({ x }) => x), y: points.map(({ y }) => y) };
  });
}

/** A black hole is as large as its population. */
function radiusOf({ population }: Point): number {
  return 2.2 + 1.5 * Math.sqrt(population - 1);
}

/** The points of each group as dots. */
export function dotsOf(points: readonly Point[], x: (point: Point) => number, y: (point: Point) => number): Mark[] {
  return [0, 1].flatMap((group): Mark[] => {
    const own = points.filter((point) => point.group === group).sort((a, b) => b.population - a.population);
    if (own.length === 0) return [];
    return [
      {
        mark: "dots",
        series: group,
        x: own.map(x),
        y: own.map(y),
        radius: own.map(radiusOf),
        names: own.map(({ names }) => names.slice(0, 60).join(" ")),
        labels: own.map(({ population }) => (population > 1 ? String(population) : "")),
      },
    ];
  });
}

/** Where the rows are at a few moments, and the ways that they came, in one linear view of the whole training. */
export const cloud = defineRunFigure({
  name: "cloud",
  overlays: false,
  read,
  describe([run]) {
    const { explained = [], moments = [], paths = [] } = run?.data ?? {};
    const xs = [...moments.flatMap(({ points }) => points.map(({ at }) => at[0] ?? 0)), ...paths.flatMap(({ x }) => x)];
    const ys = [...moments.flatMap(({ points }) => points.map(({ at }) => at[1] ?? 0)), ...paths.flatMap(({ y }) => y.filter((value) => value !== null))];
    const across = withRoom(xs);
    const component = (index: number, domain: [number, number]) =>
      axis(`component ${index + 1}, ${Math.round(100 * (explained[index] ?? 0))} % of the spread`, "weights", { domain });
    const panel = (title: string, marks: readonly Mark[]): Panel => ({
      title,
      x: component(0, across),
      y: component(1, withRoom(ys, lowest * (across[1] - across[0]))),
      equal: true,
      marks,
    });
    return {
      schema: "bh-bridge/figure@1",
      name: "cloud",
      title: "The embedding seen along its principal components",
      caption:
        "One fixed linear view for all panels: the principal components of all rows over the whole training. A dot is a distinct row; a number is how many tokens share it. The last panel has the ways of the tokens from the first state to the last.",
      sources: run ? [run.source] : [],
      series: [seriesOf("with a live token", 0), seriesOf("dead tokens alone", 1)],
      panels: [
        ...moments.map(({ step, points }) =>
          panel(
            `Step ${step.toLocaleString("en")}`,
            dotsOf(
              points,
              ({ at }) => rounded(at[0] ?? 0),
              ({ at }) => rounded(at[1] ?? 0),
            ),
          ),
        ),
        panel(
          "Ways of the tokens",
          paths.flatMap(({ x, y }, series): Mark[] => (x.length === 0 ? [] : [{ mark: "line", series, x, y, curve: "straight" }])),
        ),
      ],
      columns: 2,
    };
  },
});

/** A panel is at least so high, by its width. */
const lowest = 0.6;

/** A domain with room for dots at its ends, of a least length. */
function withRoom(values: readonly number[], length = 0): [number, number] {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const room = Math.max(0.08 * (high - low), (length - (high - low)) / 2) || 1;
  return [low - room, high + room];
}
