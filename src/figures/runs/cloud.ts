import { rowClasses, selectRows } from "../../analysis/census/census.js";
import { rowValues } from "../../analysis/census/row-values.js";
import { forEachRow } from "../../analysis/elements.js";
import { type PathBasis, pathBasis, seenFrom } from "../../analysis/geometry/path-basis.js";
import { chosenStates, spreadStates } from "../../analysis/series.js";
import { readState, stepOfState } from "../../formats/history.js";
import { tokenName } from "../../text/names.js";
import { markerRadius } from "../draw/markers.js";
import type { Mark, Panel } from "../figure.js";
import { axis, seriesOf } from "../panels.js";
import { followedRows } from "./motion-path.js";
import { type Absent, defineRunFigure, type RunSource, tokenGroups } from "./run-figure.js";

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
  /** Number of its live tokens; the others are dead. */
  readonly live: number;
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
      live: rows.reduce((sum, each) => sum + Number(ofRow[each] === 0), 0),
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

/** Names of the series of live and dead tokens. */
export const pointSeries = [seriesOf("live tokens", 0), seriesOf("dead tokens", 1)];

/** Maximum number of tokens in a tooltip. */
const mostNames = 60;

/**
 * The points as marks: a dot for a token that is alone, a pie of live and dead tokens for a black hole.
 * @param largest the largest population of the figure, by which the marks have their sizes.
 * @param named whether tokens that are alone have labels, and not only black holes.
 */
export function pointMarks(points: readonly Point[], largest: number, x: (point: Point) => number, y: (point: Point) => number, named = false): Mark[] {
  const places = (own: readonly Point[]) => ({
    x: own.map(x),
    y: own.map(y),
    radius: own.map(({ population }) => markerRadius(population, largest)),
    names: own.map(({ names }) => names.slice(0, mostNames).join(" ")),
  });
  const alone = [0, 1].flatMap((group): Mark[] => {
    const own = points.filter(({ population, live }) => population === 1 && live === 1 - group);
    return own.length === 0 ? [] : [{ mark: "dots", series: group, ...places(own), ...(named && { labels: own.map(({ names }) => names[0] ?? "") }) }];
  });
  const holes = points.filter(({ population }) => population > 1).sort((a, b) => b.population - a.population);
  if (holes.length === 0) return alone;
  const values = holes.map(({ population, live }) => [live, population - live]);
  return [...alone, { mark: "pies", slices: [0, 1], values, labels: holes.map(({ population }) => String(population)), ...places(holes) }];
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
    const up = withRoom(ys, lowest * (across[1] - across[0]));
    const component = (index: number, domain: [number, number]) =>
      axis(`component ${index + 1}, ${Math.round(100 * (explained[index] ?? 0))} % of the spread`, "weights", { domain });
    const panel = (title: string, marks: readonly Mark[], x = across, y = up): Panel => ({ title, x: component(0, x), y: component(1, y), equal: true, marks });
    const at = (index: 0 | 1) => (point: Point) => rounded(point.at[index] ?? 0);
    const last = moments.at(-1);
    const inset = last && holeInset(last.points, across, up);
    const [hole, around] =
      last && inset
        ? [
            [
              panel(
                `The largest black hole, step ${last.step.toLocaleString("en")}`,
                pointMarks(last.points.filter(isInside(inset)), largest, at(0), at(1), true),
                inset.x,
                inset.y,
              ),
            ],
            outlineOf(inset),
          ]
        : [[], []];
    return {
      title: "The embedding along its principal components",
      caption: `All panels use the same axes: the principal components of all rows over the training. A dot is a token in its own row; a pie is a black hole with its live and dead tokens, and the number of both. Rows at the same place of this projection may differ in other directions.${inset ? " The frame in the last snapshot is shown larger beside it." : ""} The last panel shows the paths of tokens from the first snapshot to the last.`,
      series: [...pointSeries, seriesOf("", 7)],
      panels: [
        ...moments.map((moment) =>
          panel(`Step ${moment.step.toLocaleString("en")}`, [
            ...(moment === last ? around : []),
            ...pointMarks(moment.points, largest, at(0), at(1), moment.points.length <= mostLabelled),
            ...(moment === last ? around : []),
          ]),
        ),
        ...hole,
        panel(
          "Paths of tokens",
          paths.flatMap(({ x, y }, series): Mark[] => (x.length === 0 ? [] : [{ mark: "line", series, x, y, curve: "straight" }])),
        ),
      ],
      columns: 2,
    };
  },
});

/** More points have no labels, which would overlap. */
const mostLabelled = 300;

/** A part of a panel. */
interface Inset {
  readonly x: [number, number];
  readonly y: [number, number];
}

/** Number of points beside the hole in its inset. */
const neighboursShown = 12;
/** An inset that is larger than this share of its panel shows nothing new. */
const largestInset = 0.5;

/** The surroundings of the largest black hole, with its nearest points; undefined without a hole, or if they span much of the panel. */
function holeInset(points: readonly Point[], x: readonly [number, number], y: readonly [number, number]): Inset | undefined {
  const most = largestPopulation([{ points }]);
  const hole = most > 1 ? points.find(({ population }) => population === most) : undefined;
  if (!hole) return undefined;
  const [centreX = 0, centreY = 0] = hole.at;
  const ratio = (y[1] - y[0]) / (x[1] - x[0]);
  // Half the width of an inset of the panel's shape that just holds a point.
  const reaches = points
    .map(({ at }) => Math.max(Math.abs((at[0] ?? 0) - centreX), Math.abs((at[1] ?? 0) - centreY) / ratio))
    .filter((reach) => reach > 0)
    .sort((a, b) => a - b);
  const reach = 1.1 * (reaches[Math.min(reaches.length, neighboursShown) - 1] ?? 0);
  if (reach === 0 || 2 * reach > largestInset * (x[1] - x[0])) return undefined;
  return { x: [centreX - reach, centreX + reach], y: [centreY - reach * ratio, centreY + reach * ratio] };
}

function isInside({ x, y }: Inset): (point: Point) => boolean {
  return ({ at: [across = 0, up = 0] }) => across >= x[0] && across <= x[1] && up >= y[0] && up <= y[1];
}

function outlineOf({ x, y }: Inset): Mark[] {
  const [left, right, bottom, top] = [...x, ...y].map(rounded) as [number, number, number, number];
  return [{ mark: "line", series: 2, x: [left, right, right, left, left], y: [bottom, bottom, top, top, bottom], curve: "straight", thin: true }];
}

/** Minimum height of a panel, relative to its width. */
const lowest = 0.6;

/** A domain with room for dots at its ends. @param length minimum length. */
function withRoom(values: readonly number[], length = 0): [number, number] {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const room = Math.max(0.08 * (high - low), (length - (high - low)) / 2) || 1;
  return [low - room, high + room];
}
