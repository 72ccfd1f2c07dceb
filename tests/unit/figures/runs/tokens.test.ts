import { expect, test } from "vitest";
import { csvOfFigure } from "../../../../src/figures/csv-of-figure.js";
import type { Mark } from "../../../../src/figures/figure.js";
import { reduceFigure, spanRows } from "../../../../src/figures/reduce-figure.js";
import { tokensFigure } from "../../../../src/figures/runs/tokens.js";
import { svgOfFigure } from "../../../../src/figures/svg-of-figure.js";
import { figureOf } from "../run-of-states.js";

type Spans = Mark & { mark: "spans" };

/** A snapshot in which each letter is a row: equal letters share it. */
const snapshot = (letters: string) => Array.from(letters, (letter) => [letter.charCodeAt(0) - 32]);

const spansOf = (figure: { panels: readonly { marks: readonly Mark[] }[] }): Spans => {
  const [mark] = figure.panels[0]?.marks ?? [];
  if (mark?.mark !== "spans") throw new Error("it has spans");
  return mark;
};

test("the table has one line per span, with the token, whether it is dead, its steps and its black hole", async () => {
  const figure = await figureOf(tokensFigure, { states: ["aaab", "aabc", "aabb", "aabb"].map(snapshot), steps: [0, 5, 10, 20], dead: [0] });
  expect(csvOfFigure(figure)).toBe(
    `${[
      "mark,token,name,dead,from,to,hole",
      "spans,0,\\x00,1,0,20,1",
      "spans,1,\\x01,0,0,20,1",
      "spans,2,\\x02,0,0,0,1",
      "spans,2,\\x02,0,5,5,0",
      "spans,2,\\x02,0,10,20,2",
      "spans,3,\\x03,0,0,5,0",
      "spans,3,\\x03,0,10,20,2",
    ].join("\n")}\n`,
  );
  expect(figure.title).toBe("A token's life: 1 of 4 tokens leaves its black hole");
});

test("the black hole of every token at every step is the one that its row has, by comparing all pairs", async () => {
  const letters = Array.from({ length: 30 }, (_, step) =>
    Array.from({ length: 24 }, (_row, row) => String.fromCharCode(97 + ((row * 7 + Math.floor(step / (1 + (row % 5)))) % 9))).join(""),
  );
  const { row, from, to, hole, tokens = [] } = spansOf(await figureOf(tokensFigure, { states: letters.map(snapshot) }));
  for (const [step, text] of letters.entries()) {
    const holeOf = new Map<number, number>();
    for (const [at, place] of row.entries()) if ((from[at] ?? 0) <= step && step <= (to[at] ?? 0)) holeOf.set(tokens[place] ?? -1, hole[at] ?? -1);
    for (let one = 0; one < 24; one++) {
      const others = [...text].flatMap((letter, other) => (other !== one && letter === text[one] ? [other] : []));
      expect((holeOf.get(one) ?? 0) > 0).toBe(others.length > 0);
      for (const other of others) expect(holeOf.get(other)).toBe(holeOf.get(one));
    }
    const classes = new Set([...text].filter((letter) => [...text].filter((each) => each === letter).length > 1));
    expect(new Set([...holeOf.values()].filter((number) => number > 0)).size).toBe(classes.size);
  }
});

test("tokens with equal lives share rows, so that the few that leave have rows of their own", async () => {
  const states = Array.from({ length: 6 }, (_, step) => Array.from({ length: 1000 }, (_row, row) => [row < 5 && step > row ? row + 2 : 1]));
  const figure = await figureOf(tokensFigure, { states, dead: Array.from({ length: 900 }, (_, at) => at + 100) });
  const { starts, held, areEqual } = spanRows(spansOf(figure));
  expect([starts.length - 1 <= 256, starts.length - 1 > 230, held, areEqual]).toEqual([true, true, 4, true]);
  expect(figure.caption).toMatch(/^One row per token; up to 4 tokens with equal lives share a row\./);
  const drawn = spansOf(reduceFigure(figure));
  expect(drawn.names.slice(-5)).toEqual(["\\x04", "\\x03", "\\x02", "\\x01", "\\x00"]);
  expect(drawn.from.slice(-10)).toEqual([0, 5, 0, 4, 0, 3, 0, 2, 0, 1]);
});

test("where lives are too different, a row holds equally many tokens and has the black hole of most of them", async () => {
  // Token i leaves at step i % 40 + 1: rows of 4 tokens leave when three of the four have left.
  const states = Array.from({ length: 42 }, (_, step) =>
    Array.from({ length: 1022 }, (_row, row) => (row >= 1000 || step <= row % 40 || (row % 3 === 0 && step % 2 === 0) ? [0.5] : [row + 1, step])).map(
      ([a = 0, b = 0]) => [a, b],
    ),
  );
  const figure = await figureOf(tokensFigure, { states, dtype: "F32" });
  const mark = spansOf(figure);
  const { starts, held, areEqual } = spanRows(mark);
  if (areEqual) expect(starts.length).toBeLessThanOrEqual(257);
  else expect(held).toBe(4);
  const drawn = spansOf(reduceFigure(figure));
  for (let row = 0; row < drawn.names.length; row += 17) {
    for (const step of [0, 7, 20, 33, 41]) {
      const at = (of: Spans, each: number) => of.hole[of.row.findLastIndex((place, span) => place === each && (of.from[span] ?? 0) <= step)] ?? -1;
      const members = Array.from({ length: (starts[row + 1] ?? 0) - (starts[row] ?? 0) }, (_, index) => at(mark, (starts[row] ?? 0) + index));
      const votes = (number: number) => members.filter((each) => each === number).length;
      expect(votes(at(drawn, row))).toBe(Math.max(...members.map(votes)));
    }
  }
});

test("a run whose tokens never share a row has no figure, and a drawn one has the gutter of dead tokens", async () => {
  await expect(figureOf(tokensFigure, { states: [snapshot("ab"), snapshot("cd")] })).rejects.toThrow("no two tokens ever share a row");
  await expect(figureOf(tokensFigure, { states: [snapshot("aa")] })).rejects.toThrow("it has taken no step yet");
  const svg = svgOfFigure(await figureOf(tokensFigure, { states: [snapshot("aab"), snapshot("aab")], dead: [0] }));
  expect(svg).toContain("dead token");
  expect(svg).toMatch(/<path[^>]* d="M\d+(\.\d)? \d+(\.\d)?h7" class="series6"/);
});
