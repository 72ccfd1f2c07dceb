import { rowClasses, selectRows } from "../../analysis/census/census.js";
import { rowValues } from "../../analysis/census/row-values.js";
import { forEachRow } from "../../analysis/elements.js";
import { type PathBasis, pathBasis, seenFrom } from "../../analysis/geometry/path-basis.js";
import { chosenStates, spreadStates } from "../../analysis/states.js";
import { readState, stepOfState } from "../../formats/history.js";
import { tokenName } from "../../text/names.js";
import { markerRadius } from "../draw/markers.js";
import type { Mark, Panel } from "../figure.js";
import { axis, seriesOf } from "../panels.js";
import { tokenGroups } from "../tokens.js";
import { followedRows } from "./motion-path.js";
import { type Absent, defineRunFigure, type RunSource } from "./run-figure.js";

/** The basis of a run's training that its figures share, which takes about a second. */
export function basisOfRun(run: RunSource): Promise<PathBasis> {
  return run.once(makeBasis);
}

async function makeBasis(run: RunSource): Promise<PathBasis> {
  return pathBasis(await run.history(), { axes: 3, work: 1e9, signal: run.scan.signal });
}

/** Maximum number of distinct rows shown per state. */
const mostPoints = 1500;

/** One distinct row of a state, in a fixed basis. */
export interface Point {
  readonly at: readonly number[];
  /** Its tokens: more than one in a black hole. */
  readonly population: number;
  readonly names: readonly string[];
  /** 0 if some of its tokens are live, 1 if all are dead. */
  readonly group: number;
}

/** The distinct rows of a state in the run's basis: if there are many, evenly spread ones and every black hole. */
export async function pointsOf(run: RunSource, state: number): Promise<{ basis: PathBasis; points: Point[] }> {
  const history = await run.history();
  const basis = await basisOfRun(run);
  const { ofRow } = await tokenGroups(run);
  const matrix = readState(history, state);
  const classes = rowClasses(rowValues(matrix.dtype, matrix.bytes, matrix.columns), selectRows(matrix.rows));
  const members = new Map<number, number[]>();
  for (const [row, first] of classes.entries()) members.set(first, [...(members.get(first) ?? []), row]);
  const every = Math.ceil(members.size / mostPoints);
  const firsts = new Set([...members].filter(([, rows], index) => rows.length > 1 || index % every === 0).map(([first]) => first));
  const points: Point[] = [];
  forEachRow(matrix, (values, row) => {
    const rows = firsts.has(row) ? members.get(row) : undefined;
    if (!rows || !values.every(Number.isFinite)) return;
    const tokens = rows.map((each) => history.rowTokens.ofRow(each));
    points.push({
      at: seenFrom(basis, values),
      population: rows.length,
      names: tokens.map((token) => tokenName(token, history.rowTokens.text?.(token))),
      group: rows.every((each) => ofRow[each] === 1) ? 1 : 0,
    });
  });
  return { basis, points };
}

/** A coordinate with six digits: more are not visible, and double the size of the data. */
export function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

/** Limits that keep the page small. */
const pathStates = 60;
const mostPaths = 128;

interface Cloud {
  readonly explained: readonly number[];
  readonly moments: readonly { readonly step: number; readonly points: readonly Point[] }[];
  /** For each group, the paths of its rows, separated by gaps. */
  readonly paths: readonly { readonly x: readonly number[]; readonly y: readonly (number | null)[] }[];
}

async function read(run: RunSource): Promise<Cloud | Absent> {
  const history = await run.history();
  const basis = await basisOfRun(run);
  if (basis.axes.length < 2) return { absent: "its rows never spread in two directions" };
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

/** The largest population at some moments. */
export function largestPopulation(moments: readonly { readonly points: readonly Point[] }[]): number {
  return moments.reduce((largest, { points }) => points.reduce((most, { population }) => Math.max(most, population), largest), 1);
}

/** The points of each group as dots. @param largest the largest population of the figure, by which the dots have their sizes. */
export function dotsOf(points: readonly Point[], largest: number, x: (point: Point) => number, y: (point: Point) => number): Mark[] {
  return [0, 1].flatMap((group): Mark[] => {
    const own = points.filter((point) => point.group === group).sort((a, b) => b.population - a.population);
    if (own.length === 0) return [];
    return [
      {
        mark: "dots",
        series: group,
        x: own.map(x),
        y: own.map(y),
        radius: own.map(({ population }) => markerRadius(population, largest)),
        names: own.map(({ names }) => names.slice(0, 60).join(" ")),
        labels: own.map(({ population }) => (population > 1 ? String(population) : "")),
      },
    ];
  });
}

/** Positions of the rows at a few moments, and their paths, in one linear basis of the training. */
export const cloud = defineRunFigure({
  name: "cloud",
  overlays: false,
  read,
  describe([run]) {
    const { explained = [], moments = [], paths = [] } = run?.data ?? {};
    const xs = [...moments.flatMap(({ points }) => points.map(({ at }) => at[0] ?? 0)), ...paths.flatMap(({ x }) => x)];
    const ys = [...moments.flatMap(({ points }) => points.map(({ at }) => at[1] ?? 0)), ...paths.flatMap(({ y }) => y.filter((value) => value !== null))];
    const largest = largestPopulation(moments);
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
      title: "The embedding along its principal components",
      caption:
        "All panels use the same axes: the principal components of all rows over the training. A dot is a distinct row; a number counts the tokens that share it. The last panel shows the paths of tokens from the first snapshot to the last.",
      series: [seriesOf("with a live token", 0), seriesOf("dead tokens only", 1)],
      panels: [
        ...moments.map(({ step, points }) =>
          panel(
            `Step ${step.toLocaleString("en")}`,
            dotsOf(
              points,
              largest,
              ({ at }) => rounded(at[0] ?? 0),
              ({ at }) => rounded(at[1] ?? 0),
            ),
          ),
        ),
        panel(
          "Paths of tokens",
          paths.flatMap(({ x, y }, series): Mark[] => (x.length === 0 ? [] : [{ mark: "line", series, x, y, curve: "straight" }])),
        ),
      ],
      columns: 2,
    };
  },
});

/** Minimum height of a panel, relative to its width. */
const lowest = 0.6;

/** A domain with room for dots at its ends. @param length minimum length. */
function withRoom(values: readonly number[], length = 0): [number, number] {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const room = Math.max(0.08 * (high - low), (length - (high - low)) / 2) || 1;
  return [low - room, high + room];
}
