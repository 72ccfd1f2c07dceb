import { lifeOrder, type TokenLives, tokenLives } from "../../analysis/timeline/token-lives.js";
import { stepsOf } from "../../formats/history.js";
import { count, groupDigits } from "../../text/format.js";
import { tokenName } from "../../text/names.js";
import type { Mark, Series } from "../figure.js";
import { axis, stepAxis } from "../panels.js";
import { spanRows } from "../reduce-figure.js";
import { type Absent, defineRunFigure, type RunSource } from "./run-figure.js";

/** The life of every token of a run, in the order in which it is drawn. */
interface TokensFigure {
  readonly mark: Mark & { mark: "spans" };
  readonly holes: TokenLives["holes"];
  readonly steps: readonly number[];
  /** Tokens that are alone at some step after a black hole. */
  readonly left: number;
}

/** Black holes with a colour of their own; the others share one. */
const ownColours = [0, 1, 2, 3];
const otherColour = 7;
const gutterColour = 6;
const levels = [...ownColours, otherColour].map((_, level) => level);

async function read(run: RunSource): Promise<TokensFigure | Absent> {
  const history = await run.history();
  if (history.states < 2) return { absent: "it has taken no step yet" };
  const { rowTokens } = history;
  const dead = new Set(run.manifest.corpus.deadTokens);
  const lives = await tokenLives(history, run.scan);
  if (lives.holes.length === 0) return { absent: "no two tokens ever share a row" };
  const order = lifeOrder(lives, (row) => dead.has(rowTokens.ofRow(row)));
  const tokens = order.map((row) => rowTokens.ofRow(row));
  const steps = stepsOf(history);
  return {
    mark: {
      ...marksOfLives(lives, order, steps, (row) => dead.has(rowTokens.ofRow(row))),
      names: tokens.map((token) => tokenName(token, rowTokens.text?.(token))),
      tokens,
    },
    holes: lives.holes,
    steps,
    left: order.filter((row) => leaves(lives, row)).length,
  };
}

function leaves({ start, hole }: TokenLives, row: number): boolean {
  const own = hole.subarray(start[row], start[row + 1]);
  return own.some((number, at) => number === 0 && at > 0);
}

/** The lives of rows as a mark without names. @param order rows from top to bottom. @param steps training step of each snapshot. */
export function marksOfLives(lives: TokenLives, order: readonly number[], steps: readonly number[], isDead: (row: number) => boolean): TokensFigure["mark"] {
  const dead = order.map((row) => Number(isDead(row)));
  return { mark: "spans", names: order.map(() => ""), dead, ...spansOf(lives, order, steps), levels, gutter: levels.length };
}

/** The spans of rows in an order, by steps. */
function spansOf({ start, from, hole, states }: TokenLives, order: readonly number[], steps: readonly number[]) {
  const spans = { row: [] as number[], from: [] as number[], to: [] as number[], hole: [] as number[] };
  for (const [place, row] of order.entries()) {
    const end = start[row + 1] ?? 0;
    for (let at = start[row] ?? 0; at < end; at++) {
      spans.row.push(place);
      spans.from.push(steps[from[at] ?? 0] ?? 0);
      spans.to.push(steps[(at + 1 < end ? (from[at + 1] ?? states) : states) - 1] ?? 0);
      spans.hole.push(hole[at] ?? 0);
    }
  }
  return spans;
}

function seriesOfHoles(holes: TokenLives["holes"]): Series[] {
  const named = ownColours.map((color, at): Series => {
    const hole = holes[at];
    return { name: hole ? `black hole ${at + 1}, up to ${count(hole.largest, "token")}` : "", palette: "series", color, dash: 0, marker: 0 };
  });
  const others = holes.length - ownColours.length;
  const rest = others > 0 ? `${groupDigits(others)} smaller ${others === 1 ? "one" : "ones"}` : "";
  return [
    ...named,
    { name: rest, palette: "series", color: otherColour, dash: 0, marker: 0 },
    { name: "dead token", palette: "series", color: gutterColour, dash: 0, marker: 0 },
  ];
}

/** The life of every token: the black hole that it is in, over the steps. */
export const tokensFigure = defineRunFigure({
  name: "tokens",
  overlays: false,
  read,
  describe([run]) {
    const { mark, holes = [], steps = [], left = 0 } = run?.data ?? {};
    const tokens = count(mark?.names.length ?? 0, "token");
    return {
      title: `A token's life: ${groupDigits(left)} of ${tokens} ${left === 1 ? "leaves its black hole" : "leave their black holes"}`,
      caption: `${mark ? rowsText(mark) : ""} The colour is the black hole of the token; without colour it is alone. Rows are sorted by the black hole at the start, then by the first exit, latest first. Tokens that start alone come last. A black hole stays the same one while most of its members stay together. The gutter marks dead tokens. The step axis is logarithmic in step + 1.`,
      series: seriesOfHoles(holes),
      panels: mark
        ? [
            {
              title: "",
              x: stepAxis({ scale: "symlog", domain: [steps[0] ?? 0, steps.at(-1) ?? 1] }),
              y: axis(tokens, null, { domain: [mark.names.length, 0], ticks: [] }),
              equal: false,
              marks: [mark],
            },
          ]
        : [],
      columns: 1,
    };
  },
});

function rowsText(mark: TokensFigure["mark"]): string {
  const { held, areEqual } = spanRows(mark);
  if (held === 1) return "One row per token.";
  return areEqual ? `One row per token; up to ${held} tokens with equal lives share a row.` : `One row per ${held} tokens, in the colour of most of them.`;
}
