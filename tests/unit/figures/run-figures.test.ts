import { relative } from "node:path";
import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { presets } from "../../../src/config/presets.js";
import { figureSchema } from "../../../src/figures/figure.js";
import { figure, figuresOfRuns, runFigureNames, runLabels, seriesFigures } from "../../../src/figures/run-figures.js";
import { svgOfFigure } from "../../../src/figures/svg-of-figure.js";
import type { RunManifest } from "../../../src/runs/run-manifest.js";
import { figureOf, linesOf, type RunOfStates, runOfStates, writeRunOfStates } from "./run-of-states.js";

test("radii are distances from the centroid, and that has its own from the origin", async () => {
  // Centroids (3, 4) and (0, 0); distances 5, 5, 0 and 1, 2, 1.
  const states = [
    [
      [8, 4],
      [-2, 4],
      [3, 4],
    ],
    [
      [1, 0],
      [-2, 0],
      [1, 0],
    ],
  ];
  expect(linesOf(await figureOf(seriesFigures.radius, { states }))).toEqual({
    "largest radius": [
      [0, 1],
      [5, 2],
    ],
    "mean radius": [
      [0, 1],
      [expect.closeTo(10 / 3, 6), expect.closeTo(4 / 3, 6)],
    ],
    "centroid from 0": [
      [0, 1],
      [5, 0],
    ],
  });
});

test("a state with a weight that is no number is a gap", async () => {
  const lines = linesOf(
    await figureOf(seriesFigures.radius, {
      states: [
        [[1], [3]],
        [[Number.NaN], [3]],
      ],
    }),
  );
  expect(Object.values(lines).map(([, y]) => y)).toEqual([
    [1, null],
    [1, null],
    [2, null],
  ]);
});

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

test.each([390, 760])("in every figure, at %i pixels, texts have at least 11 pixels, and the legend lists only what is drawn", async (width) => {
  const moments = Object.fromEntries(["wte.grad", "wte.exp_avg", "wte.exp_avg_sq"].map((name) => [name, [rows, moved, rows]]));
  const logits = [
    [[1], [2], [3], [4]],
    [[2], [2], [3], [4]],
    [[1], [1], [1], [1]],
  ];
  using run = runOfStates({ states: [rows, moved, rows], dead: [3], tensors: { ...moments, "logits.mean": logits } });
  const drawn: string[] = [];
  for (const name of runFigureNames) {
    for (const made of await figuresOfRuns(name, [{ label: "run", run }])) {
      if ("absent" in made) continue;
      drawn.push(name);
      const { document } = parseHTML(`<body>${svgOfFigure(made.figure, { width })}</body>`);
      const sizes = [...document.querySelectorAll("text[font-size], g[font-size], svg[style]")].map((element) =>
        Number.parseFloat(/font-size: ?([\d.]+)/.exec(element.getAttribute("style") ?? "")?.[1] ?? element.getAttribute("font-size") ?? ""),
      );
      expect(Math.min(...sizes)).toBeGreaterThanOrEqual(11);
      const panels = [...document.querySelectorAll("svg svg")];
      expect(new Set(panels.map((panel) => panel.getAttribute("x"))).size === 1 || width > 390).toBe(true);
      for (const sample of document.querySelectorAll(".legend > g > g")) {
        const colour = sample.getAttribute("class");
        const shapes = panels.flatMap((panel) => [...panel.querySelectorAll(`.${colour}, .${colour} *, .${colour}-fill, .${colour}-fill *`)]);
        expect([name, colour, shapes.some((shape) => /^(circle|rect|line)$/i.test(shape.tagName) || (shape.getAttribute("d") ?? "").length > 4)]).toEqual([
          name,
          colour,
          true,
        ]);
      }
    }
  }
  expect(drawn).toEqual(expect.arrayContaining(["loss", "cloud", "optimizer", "freezing", "shares"]));
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

test("figures that show little are omitted by default, with the reason, and drawn when asked for", async () => {
  const apart = [...rows.slice(0, 3), [9, 9, 9]];
  using run = runOfStates({ states: [rows, apart] });
  for (const [name, reason] of [
    ["sky", "as the cloud shows more"],
    ["topology", "as no two rows of the last snapshot are neighbours"],
    ["rank-curve", "never more than 3 black holes"],
  ] as const) {
    expect(await figuresOfRuns(name, [{ label: "run", run }], true)).toMatchObject([{ name, absent: expect.stringContaining(reason) }]);
    expect(await figuresOfRuns(name, [{ label: "run", run }])).toMatchObject([{ figure: { name } }]);
  }
});

test("a figure that there is not is refused with the names of those that there are", async () => {
  await expect(figuresOfRuns("toString" as "loss", [])).rejects.toThrow('unknown figure "toString". Use verdict, tokens, loss');
});

const run = (name: string, over: object, directory = `/runs/${name}`) => ({
  directory,
  manifest: { name } as RunManifest,
  config: parseRunConfig({ ...presets.quick.input, name, ...over }),
});

test("runs are named with the settings in which they differ", () => {
  expect(runLabels([run("a", { seed: 1 }), run("b", { seed: 2 })])).toEqual(["a · seed 1", "b · seed 2"]);
  const training = presets.quick.input.training;
  const rates = [1e-3, 2e-3].map((learning_rate) => run("same", { training: { ...training, learning_rate } }));
  expect(runLabels(rates)).toEqual(["same · learning_rate 0.001", "same · learning_rate 0.002"]);
});

test("runs of one configuration are told apart by their names, and of one name by their directories", () => {
  expect(runLabels([run("a", {}), run("b", {})])).toEqual(["a", "b"]);
  expect(runLabels([run("a", {}, "/runs/a"), run("a", {}, "/runs/a-2")])).toEqual(["a (a)", "a (a-2)"]);
});

test("a long setting is shortened, and one that is alike in two of three runs is named too", () => {
  const long = "a prompt that is far longer than what a legend can hold beside another one";
  expect(runLabels([run("short", { data: { corpus: `/${long}.txt` } }), run("other", {})])[0]).toBe("short · corpus a prompt that is far lo…");
  expect(runLabels([run("a", { seed: 1 }), run("b", { seed: 2 }), run("c", { seed: 2 })])).toEqual(["a · seed 1", "b · seed 2", "c · seed 2"]);
});

test("one run has its name, in which nothing can steer a terminal", () => {
  expect(runLabels([run("only", {})])).toEqual(["only"]);
  expect(runLabels([run("a\u001b[2Jb", {})])[0]).not.toContain("\u001b");
});

const states = [
  [[1], [2]],
  [[1], [1]],
];

test("a run by its path, or one that was opened, gives the same figure, with its name and the hash of its configuration", async () => {
  const directory = writeRunOfStates({ states });
  const made = await figure(relative(".", directory), "radius", { workers: 0 });
  expect(made).toEqual(await figure({ directory }, "radius", { workers: 0 }));
  expect(made.sources).toEqual([{ name: "made-up", hash: "0".repeat(64) }]);
});

test("a figure that the run has nothing for is refused with the reason", async () => {
  const directory = writeRunOfStates({ states });
  const refused = figure(directory, "optimizer", { workers: 0 });
  await expect(refused).rejects.toMatchObject({ code: "USAGE" });
  await expect(refused).rejects.toThrow(`${directory} has nothing for the figure "optimizer": it recorded neither`);
});
