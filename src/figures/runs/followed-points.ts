import { forEachRow } from "../../analysis/for-each-row.js";
import { type PathBasis, seenFrom } from "../../analysis/path-basis.js";
import { rowClasses } from "../../analysis/row-classes.js";
import { rowValues } from "../../analysis/row-values.js";
import { selectRows } from "../../analysis/select-rows.js";
import { readState } from "../../formats/read-state.js";
import { basisOfRun } from "../scan/basis-of-run.js";
import { shownToken } from "../shown-token.js";
import { tokenGroups } from "../token-groups.js";
import type { RunSource } from "./run-source.js";

/** So many distinct rows of a state are shown. */
const mostPoints = 1500;

/** One distinct row of a state, seen from a fixed basis. */
export interface Point {
  readonly at: readonly number[];
  /** Its tokens: more than one in a black hole. */
  readonly population: number;
  readonly names: readonly string[];
  /** 0 when some token of it is live, 1 when all are dead. */
  readonly group: number;
}

/** The distinct rows of a state in the run's basis; of many, evenly spread ones and every black hole. */
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
      names: tokens.map((token) => shownToken(token, history.rowTokens.text?.(token))),
      group: rows.every((each) => ofRow[each] === 1) ? 1 : 0,
    });
  });
  return { basis, points };
}

/** Six digits of a place: more would not be seen, and make a description twice as long. */
export function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
