import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { drawFigure } from "../../../../src/figures/draw/draw-figure.js";
import { sliceOutlines } from "../../../../src/figures/draw/draw-marks.js";
import { overlap } from "../../../../src/figures/draw/draw-panel.js";
import type { Mark, Panel } from "../../../../src/figures/figure.js";
import { axis } from "../../../../src/figures/panels.js";
import { madeUpFigure } from "../made-up-figure.js";

/** What is drawn of marks in a panel, without a legend's samples. */
function drawn(marks: readonly Mark[], panel: Partial<Panel> = {}) {
  const { document } = parseHTML("<html><body></body></html>");
  const svg = drawFigure(madeUpFigure(marks, panel), { document, bare: true });
  return parseHTML(`<html><body>${svg.outerHTML}</body></html>`).document.querySelector("svg svg") as unknown as Element;
}

const line: Mark = { mark: "line", series: 0, x: [0, 1, 2, 3], y: [1, 2, 3, 4], curve: "straight" };
const linesIn = (text: Element) => ([...text.querySelectorAll("tspan")].map(({ textContent }) => textContent).join(" ") || text.textContent) ?? "";
const numbers = (text: string | null | undefined) => (text?.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);

test("things overlap when they share an area, not when they touch", () => {
  const box = { left: 0, right: 10, top: 0, bottom: 10 };
  expect(overlap(box, { left: 9, right: 20, top: 9, bottom: 20 })).toBe(true);
  expect(overlap(box, { left: 2, right: 3, top: 2, bottom: 3 })).toBe(true);
  expect(overlap(box, { left: 10, right: 20, top: 0, bottom: 10 })).toBe(false);
  expect(overlap(box, { left: 2, right: 3, top: -5, bottom: 0 })).toBe(false);
});

test("a staircase holds each value until the next step, and a straight line goes there at once", () => {
  const path = (curve: "straight" | "step") =>
    drawn([{ ...line, x: [0, 1], y: [0, 1], curve }])
      .querySelector("g.series0 path")
      ?.getAttribute("d") ?? "";
  const [x0, y0, x1, y1] = numbers(path("straight"));
  expect(numbers(path("step"))).toEqual([x0, y0, x1, y0, x1, y1]);
});

test("a line over the steps carries markers at some of its points, others than those of the next line; the way of a point has none", () => {
  const x = Array.from({ length: 700 }, (_, at) => at);
  const long = (series: number): Mark => ({ ...line, series, x, y: x });
  const markers = (marks: readonly Mark[], series: number) => [...drawn(marks).querySelectorAll(`g.series${series}-fill path, g.series${series}-fill circle`)];
  const both = [long(0), long(1)];
  expect(markers(both, 0)).toHaveLength(7);
  const places = (series: number) => markers(both, series).map((marker) => numbers(marker.getAttribute("transform"))[0]);
  expect(places(0).filter((place) => places(1).includes(place))).toEqual([]);
  expect(markers([{ ...line, x: [0, 2, 1, 3] }], 0)).toEqual([]);
});

test("one line of many is thin and faint, and carries no markers", () => {
  const panel = drawn([
    { ...line, thin: true },
    { ...line, series: 1 },
  ]);
  expect(panel.querySelector("g.series0")?.getAttribute("stroke-opacity")).toBe("0.45");
  expect(panel.querySelector("g.series0-fill")).toBeNull();
  expect(panel.querySelector("g.series1-fill")).not.toBeNull();
});

test("a band ends where one of its sides is missing, and begins anew behind", () => {
  const band: Mark = { mark: "band", series: 0, x: [0, 1, 2, 3, 4], low: [0, 0, null, 0, 0], high: [1, 1, 1, 1, 1], curve: "straight" };
  expect(drawn([band]).querySelector("g.series0-fill path")?.getAttribute("d")?.match(/M/g)).toHaveLength(2);
});

test("dots are as large as they are said to be, and their names show when one points at them", () => {
  const panel = drawn([{ mark: "dots", series: 0, x: [0, 1], y: [0, 1], radius: [2, 8], names: ["small <b>", "large"] }]);
  const dots = [...panel.querySelectorAll("g.series0-fill circle")];
  expect(dots.map((dot) => Number(dot.getAttribute("r"))).sort()).toEqual([2, 8]);
  expect(dots.map((dot) => dot.querySelector("title")?.textContent).sort()).toEqual(["large", "small <b>"]);
});

test("slices of a pie begin at the top and go clockwise, each by its share; one of nothing is not drawn", () => {
  // By hand: a quarter of radius 10 goes from the top to the right, the rest from there to the top by the larger arc.
  expect(sliceOutlines([1, 3, 0], 10)).toEqual(["M0,0L0,-10A10,10 0 0 1 10,0Z", "M0,0L10,0A10,10 0 1 1 0,-10Z", ""]);
  expect(sliceOutlines([0, 5], 10)).toEqual(["", "M0,-10A10,10 0 1 1 0,10A10,10 0 1 1 0,-10Z"]);
  const panel = drawn([{ mark: "pies", x: [1], y: [2], radius: [10], slices: [0, 1], values: [[1, 3]], names: ["a <b>"], labels: ["4"] }]);
  expect([panel.querySelectorAll("path.series0-fill").length, panel.querySelectorAll("path.series1-fill").length]).toEqual([1, 1]);
  expect([...panel.querySelectorAll("title")].map(({ textContent }) => textContent)).toContain("a <b>");
  expect(panel.querySelector("text.halo")?.textContent).toBe("4");
});

test("stacked bars begin where the one before ends, with their notes inside", () => {
  const names = ["live", "dead"];
  const bars: Mark[] = [
    { mark: "bars", series: 0, names, from: [0, 0], values: [0.25, 0.5], notes: ["25 %", "50 %"] },
    { mark: "bars", series: 1, names, from: [0.25, 0.5], values: [1, 0.505], notes: ["75 %", "0.5 %"] },
  ];
  const panel = drawn(bars, { x: axis("", null, { domain: [0, 1] }), y: axis("", null, { scale: "category" }) });
  const edges = (series: number) =>
    [...panel.querySelectorAll(`g.series${series}-fill rect`)].map((bar) => [
      Number(bar.getAttribute("x")),
      Number(bar.getAttribute("x")) + Number(bar.getAttribute("width")),
    ]);
  const [lower = [], upper = []] = [edges(0), edges(1)];
  for (const bar of [0, 1]) expect((upper[bar]?.[0] ?? 0) - (lower[bar]?.[1] ?? 0)).toBeCloseTo(1, 6); // half a pixel of ground on both sides
  expect(panel.textContent).toContain("75 %");
  expect(panel.textContent).not.toContain("0.5 %"); // it has no room
});

test("a line to be smoothed is faint behind its mean, and a short one stays as it is", () => {
  const smooth = (points: number): Mark => ({
    ...line,
    x: Array.from({ length: points }, (_, at) => at),
    y: Array.from({ length: points }, (_, at) => at % 2),
    smooth: true,
  });
  const widths = (points: number) => [...drawn([smooth(points)]).querySelectorAll("g.series0")].map((path) => path.getAttribute("stroke-width"));
  expect(widths(400)).toEqual(["0.8", "1.8"]);
  expect(widths(20)).toEqual(["1.8"]);
});

test("a note goes on in further lines behind its bar, and what has no room there is cut at a word", () => {
  const note = Array.from({ length: 60 }, (_, word) => `word${word}`).join(" ");
  const bars: Mark = { mark: "bars", series: 0, names: ["a", "b"], values: [1, 1.9], notes: [note, note] };
  const panel = drawn([bars], { x: axis("", null, { domain: [0, 2] }), y: axis("", null, { scale: "category" }) });
  const [wide = "", narrow = ""] = [...panel.querySelectorAll("text")].map(linesIn).filter((text) => text.endsWith("…"));
  expect(wide.length).toBeGreaterThan(narrow.length);
  expect(note.startsWith(wide.replace(/ …$/, " "))).toBe(true);
});

test("a histogram stands on nothing at both sides", () => {
  const path = drawn([{ mark: "bins", series: 0, edges: [0, 1, 2], counts: [3, 1] }])
    .querySelector("g.series0 path, path.series0")
    ?.getAttribute("d");
  const [, ...points] = [...(path ?? "").matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)].map(([, , y]) => Number(y));
  expect(points.at(-1)).toBe(Math.max(...points)); // down to the axis
  expect(points.filter((y) => y === Math.min(...points))).toHaveLength(2); // over the first bin
});

test("a number beside a dot at the right end stands on its left", () => {
  const dots: Mark = { mark: "dots", series: 0, x: [1, 99], y: [1, 1], labels: ["n1", "n99"] };
  const panel = drawn([dots], { x: axis("", null, { domain: [0, 100] }), y: axis("", null, { domain: [0, 2] }) });
  const anchors = [...panel.querySelectorAll("text.halo")].map((text) => [text.textContent, text.getAttribute("text-anchor")]);
  expect(Object.fromEntries(anchors)).toEqual({ n1: "start", n99: "end" });
});

test("texts of rules stand inside the frame, and none on another", () => {
  const rules = ["the first token leaves", "the second token leaves", "the last token leaves"].map(
    (text, index): Mark => ({ mark: "rule", axis: "x", at: 97 + index, text }),
  );
  const panel = drawn(rules, { x: axis("", null, { domain: [0, 100] }), y: axis("", null, { domain: [0, 1] }) });
  const texts = [...panel.querySelectorAll("text.halo")];
  expect(texts.map(({ textContent }) => textContent)).toEqual(["the first token leaves", "the second token leaves", "the last token leaves"]);
  expect(new Set(texts.map((text) => text.getAttribute("y"))).size).toBe(3);
  expect(texts.map((text) => text.getAttribute("text-anchor"))).toEqual(["end", "end", "end"]);
});

test("the largest dots stay inside the frame, and labels too", () => {
  const dots: Mark = { mark: "dots", series: 0, x: [0, 100, 50], y: [1, 0, 1], radius: [16, 16, 16], labels: ["9000", "900", "99"] };
  const panel = drawn([dots], { x: axis("", null, { domain: [0, 100] }), y: axis("", null, { domain: [0, 1] }), equal: false });
  const frame = Object.fromEntries(["top", "bottom"].map((name) => [name, Number(panel.getAttribute(`data-${name}`))]));
  const [left, right] = [14, Number(panel.getAttribute("width"))];
  for (const dot of panel.querySelectorAll("circle")) {
    const [x = 0, y = 0] = ["cx", "cy"].map((name) => Number(dot.getAttribute(name)));
    expect([x - 16 >= left, x + 16 <= right, y - 16 >= (frame["top"] ?? 0) - 1, y + 16 <= (frame["bottom"] ?? 0) + 1]).toEqual([true, true, true, true]);
  }
  expect([...panel.querySelectorAll("text.halo")].map(({ textContent }) => textContent)).toEqual(["9000", "900", "99"]);
});

test("a rule crosses the panel where it is, with its words", () => {
  const geometry = (panel: Element) => Object.fromEntries(["left", "right", "top", "bottom"].map((name) => [name, Number(panel.getAttribute(`data-${name}`))]));
  const panel = drawn([{ mark: "rule", axis: "x", at: 50, text: "half" }], { x: axis("", null, { domain: [0, 100] }), y: axis("", null, { domain: [0, 1] }) });
  const { left = 0, right = 0, top, bottom } = geometry(panel);
  const rule = panel.querySelector("g[stroke-dasharray='3,3'] line");
  expect(["x1", "y1", "y2"].map((name) => Number(rule?.getAttribute(name)))).toEqual([(left + right) / 2, top, bottom]);
  expect([...panel.querySelectorAll("text")].map(({ textContent }) => textContent)).toContain("half");
});
