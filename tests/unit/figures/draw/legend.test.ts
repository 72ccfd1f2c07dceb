import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { drawLegend } from "../../../../src/figures/draw/legend.js";
import type { Mark, Series } from "../../../../src/figures/figure.js";
import { seriesOf } from "../../../../src/figures/panels.js";
import { madeUpFigure } from "../made-up-figure.js";

const { document } = parseHTML("<html><body></body></html>");
const line = (series: number): Mark => ({ mark: "line", series, x: [0], y: [0], curve: "straight" });
const dots = (series: number): Mark => ({ mark: "dots", series, x: [0], y: [0] });
const bars = (series: number): Mark => ({ mark: "bars", series, names: ["a"], values: [1], notes: [""] });

/** A legend, and its entries: where each stands, its name, and the shapes of its sample. */
function legendOf(marks: readonly Mark[], series: readonly Series[], width = 1000, marked = false) {
  const legend = drawLegend(document, madeUpFigure(marks, {}, { series }), width, marked);
  if (!legend) return undefined;
  const drawn = parseHTML(`<html><body><svg>${legend.element.outerHTML}</svg></body></html>`).document;
  const entries = [...drawn.querySelectorAll(".legend > g")].map((entry) => ({
    at: (/\((.*),(.*)\)/.exec(entry.getAttribute("transform") ?? "") ?? []).slice(1).map(Number),
    name: entry.querySelector("text")?.textContent,
    shapes: [...entry.querySelectorAll("line, rect, path")].map(({ tagName }) => tagName.toLowerCase()),
  }));
  return { height: legend.height, entries, html: legend.element.outerHTML };
}

test("series without a name, and those of which nothing is drawn, have no entry; without any there is no legend", () => {
  const series = [seriesOf("shown", 0), seriesOf("", 1), seriesOf("absent", 2)];
  expect(legendOf([line(0), line(1)], series)?.entries.map(({ name }) => name)).toEqual(["shown"]);
  expect(legendOf([line(1)], series)).toBeUndefined();
  const nothing: Mark[] = [
    { ...line(0), y: [null] } as Mark,
    { ...dots(0), x: [], y: [] } as Mark,
    { mark: "band", series: 0, x: [0, 1], low: [1, 1], high: [1, null], curve: "step", solid: true },
    { mark: "bins", series: 0, edges: [0, 1], counts: [0] },
    { ...bars(0), names: [], values: [], notes: [] } as Mark,
    { mark: "links", series: 0, x1: [], y1: [], x2: [], y2: [] },
  ];
  for (const mark of nothing) expect(legendOf([mark], series)).toBeUndefined();
});

test("a sample shows its mark: a line, a marker, both, or a box", () => {
  const series = [0, 1, 2, 3].map((index) => seriesOf(`series ${index}`, index));
  const marks = [line(0), dots(1), line(2), dots(2), bars(3)];
  expect(legendOf(marks, series)?.entries.map(({ shapes }) => shapes)).toEqual([["line"], ["path"], ["line", "path"], ["rect"]]);
});

test("where lines are marked, so are their samples, and boxes are not", () => {
  const series = [seriesOf("line", 0), seriesOf("bars", 1)];
  expect(legendOf([line(0), bars(1)], series, 1000, true)?.entries.map(({ shapes }) => shapes)).toEqual([["line", "path"], ["rect"]]);
});

test("the levels that cells have get boxes", () => {
  const cells: Mark = { mark: "cells", names: ["a"], edges: [0, 1], rows: ["01", "00"], levels: [0, 1, 2] };
  expect(legendOf([cells], ["still", "moves", "never there"].map(seriesOf))?.entries.map(({ name, shapes }) => [name, ...shapes])).toEqual([
    ["still", "rect"],
    ["moves", "rect"],
  ]);
});

test("what does not fit into a row begins the next, and one that is too wide goes on in further lines", () => {
  const series = ["one", "two", "a name that is wider than the whole legend", "last"].map(seriesOf);
  const { entries = [], height } =
    legendOf(
      series.map((_, index) => line(index)),
      series,
      170,
    ) ?? {};
  expect(entries.map(({ at }) => at[1])).toEqual([0, 0, 20, 70]);
  expect(entries.map(({ at }) => at[0] === 0)).toEqual([true, false, true, true]);
  expect(height).toBe(90);
});

test("a name is text, whatever is in it, and dashes are those of the series", () => {
  const html = legendOf([line(1)], [seriesOf("solid", 0), seriesOf("<script>alert(1)</script>", 1)])?.html ?? "";
  expect(html).not.toContain("<script>");
  expect(html).toContain('stroke-dasharray="7,4"');
});
