import { tokenName } from "../../text/names.js";
import { analysedSteps, axis, stepAxis } from "../panels.js";
import { followedRows, motionPath } from "./motion-path.js";
import { type Absent, defineRunFigure, type RunSource } from "./run-figure.js";

const mostColumns = 360;
const latticeLevels = ["still", "moves within one cell", "moves beyond one cell", "moves by more than √dims cells"] as const;

interface Freezing {
  /** Whether levels 1 and 2 can occur. */
  readonly hasLattice: boolean;
  readonly tokens: number;
  /** First step of each column, and the end of the last. */
  readonly edges: readonly number[];
  /** One row per token, in the order of their last move. */
  readonly names: readonly string[];
  readonly rows: readonly string[];
  /** Number of these tokens that do not move in the last step. */
  readonly stopped: number;
}

async function read(run: RunSource): Promise<Freezing | Absent> {
  const history = await run.history();
  const steps = analysedSteps(await run.analysis());
  const moves = history.states - 1;
  if (moves < 1) return { absent: "it has taken no step yet" };
  const { levels } = await motionPath(run);
  const followed = followedRows(history.tokens);
  const columns = Math.min(moves, mostColumns);
  const bounds = Array.from({ length: columns + 1 }, (_, column) => Math.floor((column * moves) / columns));
  const rows = followed.map((row, index) => {
    const token = history.rowTokens.ofRow(row);
    const cells = bounds.slice(0, -1).map((from, column) => highest(levels, followed.length, index, from, bounds[column + 1] ?? moves));
    return { name: tokenName(token, history.rowTokens.text?.(token)), cells: cells.join(""), last: lastMove(levels, followed.length, index, moves), token };
  });
  rows.sort((a, b) => a.last - b.last || a.token - b.token);
  return {
    hasLattice: history.dtype === "BF16",
    tokens: history.tokens,
    edges: bounds.map((move) => steps[move] ?? move),
    names: rows.map(({ name }) => name),
    rows: rows.map(({ cells }) => cells),
    stopped: rows.filter(({ last }) => last < moves).length,
  };
}

/** The highest level of a row in the moves `from` to `to − 1`. */
function highest(levels: Uint8Array, width: number, row: number, from: number, to: number): number {
  let most = 0;
  for (let move = from; move < to; move++) most = Math.max(most, levels[move * width + row] ?? 0);
  return most;
}

/** The last move in which a row changes; 0 if there is none. */
function lastMove(levels: Uint8Array, width: number, row: number, moves: number): number {
  for (let move = moves; move > 0; move--) if (levels[(move - 1) * width + row] !== 0) return move;
  return 0;
}

/** Motion of every token over the training, in the order of their last move. */
export const freezing = defineRunFigure({
  name: "freezing",
  overlays: false,
  read,
  describe([run]) {
    const { hasLattice = true, tokens = 0, edges = [], names = [], rows = [], stopped = 0 } = run?.data ?? {};
    const left = names.length < tokens ? ` ${names.length} of ${tokens.toLocaleString("en")} tokens, evenly spread.` : "";
    const stretch = rows[0] && (edges.at(-1) ?? 0) > rows[0].length ? " A cell shows the largest motion in several steps." : "";
    const levels = hasLattice ? [0, 1, 2, 3] : [0, 3];
    return {
      title: "When tokens freeze",
      caption: `One line per token, in the order of their last move. ${stoppedText(stopped, rows.length)}${stretch}${left}`,
      series: latticeLevels.map((name, level) => ({
        name: levels.includes(level) ? (hasLattice ? name : level === 0 ? "still" : "moves") : "",
        palette: "levels",
        color: level,
        dash: 0,
        marker: 0,
      })),
      panels: [
        {
          title: "",
          x: stepAxis(),
          y: axis("tokens, by the step of their last move", null, { domain: [rows.length, 0], ticks: [] }),
          equal: false,
          marks: [{ mark: "cells", names, edges, rows, levels: [0, 1, 2, 3] }],
        },
      ],
      columns: 1,
    };
  },
});

function stoppedText(stopped: number, followed: number): string {
  if (stopped === 0) return "None has stopped: each of them moves in the last step.";
  return stopped === followed ? "All of them have stopped before the last step." : `${stopped.toLocaleString("en")} of them have stopped before the last step.`;
}
