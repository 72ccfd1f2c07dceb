import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { figureSchema } from "../../../src/figures/figure.js";
import { figuresOfRuns, runFigureNames } from "../../../src/figures/run-figures.js";
import { svgOfFigure } from "../../../src/figures/svg-of-figure.js";
import { type RunOfStates, runOfStates } from "./run-of-states.js";

const { NaN: no } = Number;
const rows = [
  [1, 0, 0],
  [0, 2, 0],
  [0, 0, 3],
  [0, 0, 3],
];
const moved = [
  [1.5, 0, 0],
  [0, 3, 1],
  [1, 0, 3],
  [1, 0, 3],
];
const odd: Record<string, RunOfStates> = {
  "a run that goes on to what is no number": { states: [rows, moved, rows.map(() => [no, no, no])] },
  "a run in which nothing moves": { states: [rows, rows] },
  "a run before its first step": { states: [rows] },
  "a run of one row": { states: [[[1, 2, 3]], [[2, 2, 3]]] },
  "a run of rows that are all alike": { states: [rows.map(() => [1, 1, 1]), rows.map(() => [2, 2, 2])] },
  "a run whose weights are infinite": { states: [rows, rows.map(() => [Number.POSITIVE_INFINITY, 0, 0])] },
};

test.each(Object.entries(odd))("%s has figures that can be drawn, or is told why not", async (_name, states) => {
  using run = runOfStates(states);
  for (const name of runFigureNames) {
    for (const made of await figuresOfRuns(name, [{ label: "odd", run }])) {
      if ("absent" in made) {
        expect(made.absent).toMatch(/\w/);
        continue;
      }
      figureSchema.parse(made.figure);
      const { document } = parseHTML(svgOfFigure(made.figure));
      const numbers = [...document.querySelectorAll("svg, path, line, circle, rect, text, use")].flatMap((element) =>
        ["d", "x", "y", "cx", "cy", "width", "height", "transform", "viewBox"].map((attribute) => element.getAttribute(attribute) ?? ""),
      );
      expect(numbers.filter((text) => /NaN|Infinity|undefined/.test(text))).toEqual([]);
    }
  }
});

test("runs lie over one another where a figure can show that, and else have one each, which its title names", async () => {
  using first = runOfStates({ states: [rows, moved] });
  using second = runOfStates({ states: [rows, rows] });
  const both = [
    { label: "first", run: first },
    { label: "second", run: second },
  ];
  const titles = async (name: "radius" | "populations") => (await figuresOfRuns(name, both)).map((made) => "figure" in made && made.figure.title);
  expect(await titles("radius")).toEqual(["Radius and distance of the centroid"]);
  expect(await titles("populations")).toEqual(["Black holes after step 1: first", "Black holes after step 1: second"]);
});

test("a run that has nothing to show is named beside the figure of the others", async () => {
  using first = runOfStates({ states: [rows, moved] });
  using second = runOfStates({ states: [rows, moved], tensors: { "wte.grad": [rows, moved] } });
  const made = await figuresOfRuns("optimizer", [
    { label: "without", run: first },
    { label: "with", run: second },
  ]);
  expect(made).toMatchObject([{ figure: { title: "Gradient and Adam moments: with" } }, { name: "optimizer", run: "without" }]);
});

test("a figure that there is not is refused with the names of those that there are", async () => {
  await expect(figuresOfRuns("toString" as "loss", [])).rejects.toThrow('there is no figure "toString"; there are loss, radius');
});
