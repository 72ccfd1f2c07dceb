import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { drawFigure } from "../../../../src/figures/draw/draw-figure.js";
import type { Figure, Mark, Panel } from "../../../../src/figures/figure.js";
import { axis } from "../../../../src/figures/panels.js";
import { madeUpFigure } from "../made-up-figure.js";

const line: Mark = { mark: "line", series: 0, x: [0, 10], y: [0, 5], curve: "straight" };

function drawn(figure: Figure, options: { width?: number; bare?: boolean; style?: string } = {}): Element {
  const { document } = parseHTML("<html><body></body></html>");
  const svg = drawFigure(figure, { document, ...options });
  return parseHTML(`<html><body>${svg.outerHTML}</body></html>`).document.querySelector("svg") as unknown as Element;
}

const panelsOf = (svg: Element) => [...svg.querySelectorAll("svg")];
const attribute = (name: string) => (element: Element) => Number(element.getAttribute(name));
const textsOf = (svg: Element) => [...svg.querySelectorAll("text")].map(({ textContent }) => textContent ?? "");

function withPanels(count: number, columns: number): Figure {
  const figure = madeUpFigure([line]);
  const [panel] = figure.panels;
  return { ...figure, columns, panels: panel ? Array.from({ length: count }, (_, index) => ({ ...panel, title: `panel ${index}` })) : [] };
}

test("panels stand in columns of one width, inside the figure, and no two lie on each other", () => {
  for (const width of [760, 1200]) {
    const svg = drawn(withPanels(5, 2), { width });
    const panels = panelsOf(svg).map((panel) => ["x", "y", "width", "height"].map((name) => attribute(name)(panel)) as [number, number, number, number]);
    expect(new Set(panels.map(([x]) => x)).size).toBe(2);
    expect(new Set(panels.map(([, y]) => y)).size).toBe(3);
    for (const [index, [x, y, w, h]] of panels.entries()) {
      expect(x + w).toBeLessThanOrEqual(width);
      expect(y + h).toBeLessThanOrEqual(attribute("height")(svg));
      for (const [otherX, otherY, otherW, otherH] of panels.slice(index + 1)) {
        expect(x + w <= otherX || otherX + otherW <= x || y + h <= otherY || otherY + otherH <= y).toBe(true);
      }
    }
  }
});

test("a row that does not fit is divided into equal ones, and only small multiples may be narrow", () => {
  const inRow = (columns: number, width: number) => new Set(panelsOf(drawn(withPanels(8, columns), { width })).map((panel) => panel.getAttribute("x"))).size;
  expect([760, 600, 390, 320].map((width) => inRow(4, width))).toEqual([4, 2, 2, 1]);
  expect([760, 600, 390, 320].map((width) => inRow(3, width))).toEqual([3, 2, 1, 1]);
});

test("the text of a horizontal rule is at its right end, or at the left one where only the right one is taken", () => {
  const rule: Mark = { mark: "rule", axis: "y", at: 5, text: "decided" };
  const placeOf = (...marks: Mark[]) => {
    const svg = drawn(madeUpFigure([rule, ...marks], { x: axis("", null, { domain: [0, 10] }), y: axis("", null, { domain: [0, 10] }) }));
    return [...svg.querySelectorAll("text")].find(({ textContent }) => textContent === "decided")?.getAttribute("text-anchor");
  };
  const dot = (x: number): Mark => ({ mark: "dots", series: 0, x: [x], y: [5.2], radius: [6] });
  const crossing: Mark = { mark: "line", series: 0, x: [9.4, 10], y: [0, 10], curve: "straight" };
  expect([placeOf(), placeOf(dot(9.8)), placeOf(crossing), placeOf(dot(5)), placeOf(dot(0.2), dot(9.8))]).toEqual(["end", "start", "start", "end", "end"]);
});

test("fewer panels than columns take the whole width", () => {
  expect(panelsOf(drawn(withPanels(1, 3))).map(attribute("width"))).toEqual([760 - 2 * 16]);
});

test("a panel says which one it is, and which steps its sides are, so that a page can put a cursor on it", () => {
  const [first, second] = panelsOf(drawn(withPanels(2, 2)));
  expect([first, second].map((panel) => panel?.getAttribute("data-panel"))).toEqual(["0", "1"]);
  expect([first?.getAttribute("data-x0"), first?.getAttribute("data-x1")]).toEqual(["0", "10"]);
  const path =
    first
      ?.querySelector("g.series0 path")
      ?.getAttribute("d")
      ?.match(/-?[\d.]+/g)
      ?.map(Number) ?? [];
  expect([path[0], path.at(-2)]).toEqual([Number(first?.getAttribute("data-left")), Number(first?.getAttribute("data-right"))]);
});

test("title, caption and source are read to who does not see the figure, also where the page writes them", () => {
  const svg = drawn(madeUpFigure([line]), { bare: true });
  expect(svg.querySelector("title")?.textContent).toBe("Made up");
  expect(svg.querySelector("desc")?.textContent).toBe("Of nothing. Data: a run (0123456789ab)");
  expect(svg.getAttribute("role")).toBe("img");
  expect(textsOf(svg).join()).not.toContain("Of nothing");
});

test("a long caption goes on in further lines, whole, and of many sources the first are named", () => {
  const caption = Array.from({ length: 60 }, (_, word) => `word${word}`).join(" ");
  const sources = Array.from({ length: 8 }, (_, run) => ({ name: `run${run}`, hash: "abcdef0123456789" }));
  const texts = textsOf(drawn(madeUpFigure([line], {}, { caption, sources })));
  const captionLines = texts.filter((text) => text.startsWith("word"));
  expect(captionLines.length).toBeGreaterThan(1);
  expect(captionLines.join(" ")).toBe(caption);
  expect(texts.join(" ")).toContain("run5 (abcdef012345) and 2 more");
});

test("one unit is as long on both axes where they are equal", () => {
  const axes = { x: axis("", null, { domain: [0, 10] }), y: axis("", null, { domain: [0, 4] }), equal: true };
  const [panel] = panelsOf(drawn(madeUpFigure([line], axes)));
  const [left = 0, right = 0, top = 0, bottom = 0] = ["left", "right", "top", "bottom"].map((name) => Number(panel?.getAttribute(`data-${name}`)));
  expect((bottom - top) / 4).toBeCloseTo((right - left) / 10, 0);
});

test("rows of cells are whole pixels high, however many there are", () => {
  const heights = [3, 100, 512].map((count) => {
    const rows = Array.from({ length: count }, () => "01");
    const cells: Mark = { mark: "cells", names: rows.map((_, row) => `t${row}`), edges: [0, 1, 2], rows, levels: [0, 1] };
    const panel: Partial<Panel> = { y: axis("", null, { domain: [count, 0], ticks: [] }) };
    const [drawnPanel] = panelsOf(drawn(madeUpFigure([cells], panel)));
    return (Number(drawnPanel?.getAttribute("data-bottom")) - Number(drawnPanel?.getAttribute("data-top"))) / count;
  });
  expect(heights).toEqual([85, 3, 1]); // of 256 pixels
});

test("bars have a row each", () => {
  const bars = (count: number): Mark => ({
    mark: "bars",
    series: 0,
    names: Array.from({ length: count }, (_, bar) => `#${bar}`),
    values: Array.from({ length: count }, () => 1),
    notes: Array.from({ length: count }, () => ""),
  });
  const height = (count: number) =>
    attribute("height")(drawn(madeUpFigure([bars(count)], { x: axis("", null, { domain: [0, 2] }), y: axis("", null, { scale: "category" }) })));
  expect((height(12) - height(2)) / 10).toBe(24);
});
