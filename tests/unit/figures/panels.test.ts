import { expect, test } from "vitest";
import { analyze } from "../../../src/analysis/analyze.js";
import { analysedSteps, axis, linePanels, overMoves, overStates, type StepSeries, stepAxis, styledSeries } from "../../../src/figures/panels.js";
import { memoryHistory } from "../analysis/memory-source.js";

test("names say only what differs", () => {
  const names = (...args: Parameters<typeof styledSeries>) => styledSeries(...args).map(({ name }) => name);
  expect(names(["loss"], ["a"])).toEqual([""]);
  expect(names(["loss", "held out"], ["a"])).toEqual(["loss", "held out"]);
  expect(names(["loss"], ["a", "b"])).toEqual(["a", "b"]);
  expect(names(["C", "P"], ["a", "b"])).toEqual(["C, a", "P, a", "C, b", "P, b"]);
});

test("a run keeps its colour and marker, a quantity its dashes", () => {
  const series = styledSeries(["C", "P"], ["a", "b"]);
  expect(series.map(({ color, marker, dash }) => [color, marker, dash])).toEqual([
    [0, 0, 0],
    [0, 0, 1],
    [1, 1, 0],
    [1, 1, 1],
  ]);
});

test("without several runs or quantities, each line differs from the others in all three", () => {
  for (const series of [styledSeries(["C", "P", "unique"], ["a"]), styledSeries(["C"], ["a", "b", "c"])]) {
    for (const of of ["color", "marker", "dash"] as const) expect(new Set(series.map((each) => each[of])).size).toBe(3);
  }
});

const history = memoryHistory("F32", [3, 1, 1], new Uint8Array(Float32Array.of(1, 2, 3).buffer));

test("a number a state stands at the step of the state, and a number a move at the step that it arrives at", async () => {
  const every = await analyze(history, { workers: 0 });
  expect(overStates(every, [5, null, 6])).toEqual({ steps: [0, 1, 2], values: [5, null, 6] });
  const tenth = await analyze({ ...history, steps: [0, 10, 15] }, { workers: 0 });
  expect(analysedSteps(tenth)).toEqual([0, 10, 15]);
  expect(overMoves(tenth, [7, 8])).toEqual({ steps: [10, 15], values: [7, 8] });
});

type Data = Readonly<Record<string, StepSeries | undefined>>;

const of = (key: string) => (data: Data) => data[key];
const panels = [
  { title: "Motion", y: axis("way"), lines: { mean: of("mean of moves"), largest: of("largest move") } },
  { title: "Cells", y: axis("cells"), lines: { mean: of("mean of cells"), largest: of("largest in cells") }, curve: "step" },
] as const;

const values = (first: number) => ({ steps: [1, 2], values: [first, null] });
const run = (label: string, data: Data) => ({ label, source: { name: label, hash: "0" }, data });

/** Of each panel, the names of its lines with their first values. */
function linesOf(figure: ReturnType<typeof linePanels>) {
  return figure.panels.map(({ marks }) => marks.map((mark) => mark.mark === "line" && [figure.series[mark.series]?.name, mark.y[0]]));
}

test("lines of one name look alike in all panels, whatever they show", () => {
  const figure = linePanels(panels, [
    run("a", { "mean of moves": values(1), "largest move": values(2), "mean of cells": values(3), "largest in cells": values(4) }),
  ]);
  expect(figure.series.map(({ name }) => name)).toEqual(["mean", "largest"]);
  expect(linesOf(figure)).toEqual([
    [
      ["mean", 1],
      ["largest", 2],
    ],
    [
      ["mean", 3],
      ["largest", 4],
    ],
  ]);
  expect(figure.panels.map(({ marks }) => marks[0]?.mark === "line" && marks[0].curve)).toEqual(["straight", "step"]);
});

test("every run has its lines, and one that lacks a quantity leaves it out", () => {
  const figure = linePanels(panels, [run("a", { "mean of moves": values(1), "largest move": values(2) }), run("b", { "mean of moves": values(3) })]);
  expect(linesOf(figure)).toEqual([
    [
      ["mean, a", 1],
      ["largest, a", 2],
      ["mean, b", 3],
    ],
  ]);
});

test("a panel that no run has anything for is left out, and three stand in one row", () => {
  const three = ["one", "two", "three"].map((title) => ({ title, y: axis(""), lines: { [title]: of(title) } }));
  const data = { one: values(1), two: values(2), three: values(3) };
  expect(linePanels(three, [run("a", data)])).toMatchObject({ columns: 3, panels: [{ title: "one" }, { title: "two" }, { title: "three" }] });
  expect(linePanels(three, [run("a", { one: values(1), three: values(3) })])).toMatchObject({ columns: 2, panels: [{ title: "one" }, { title: "three" }] });
});

test("the axis is that of the steps, unless a panel has its own", () => {
  const own = stepAxis({ scale: "symlog" });
  const figure = linePanels(
    [
      { title: "", y: axis(""), lines: { x: of("x") } },
      { title: "", x: own, y: axis(""), lines: { x: of("x") } },
    ],
    [run("a", { x: values(1) })],
  );
  expect(figure.panels.map(({ x }) => x)).toEqual([stepAxis(), own]);
});
