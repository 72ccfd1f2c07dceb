import { describe, expect, it, test } from "vitest";
import { csvOfFigure } from "../../../src/figures/csv-of-figure.js";
import { type Figure, figureSchema, type Mark } from "../../../src/figures/figure.js";
import { reduceFigure } from "../../../src/figures/reduce-figure.js";

const axis = { label: "", unit: null, scale: "linear", zero: false, domain: null, ticks: null } as const;

function figureOf(marks: readonly Mark[]): Figure {
  const series = [{ name: "", palette: "series", color: 0, dash: 0, marker: 0 }];
  const panels = [{ title: "", x: axis, y: axis, equal: false, marks }];
  return figureSchema.parse({ schema: "bh-bridge/figure@1", name: "a", title: "", caption: "", sources: [], series, panels, columns: 1 });
}

const steps = (points: number) => Array.from({ length: points }, (_, index) => index);
const line = (points: number): Mark => ({
  mark: "line",
  series: 0,
  x: steps(points),
  y: steps(points).map((at) => (at === 777 ? 9 : at % 2)),
  curve: "straight",
});
const reduced = (marks: readonly Mark[]) => reduceFigure(figureOf(marks)).panels[0]?.marks ?? [];

test("a line with 2,400 points stays as it is; a longer one has no more, and its spike", () => {
  expect(reduced([line(2400)])).toEqual([line(2400)]);
  const [short] = reduced([line(9000)]);
  if (short?.mark !== "line") throw new Error("it is a line");
  expect(short.x.length).toBeLessThanOrEqual(2400);
  expect(short.x.length).toBeGreaterThan(1000);
  expect(Math.max(...short.y.map((value) => value ?? 0))).toBe(9);
  expect(short.x[short.y.indexOf(9)]).toBe(777);
});

test("many lines share twelve thousand points, and none has fewer than it takes to see it", () => {
  const shifted = (lines: number) => Array.from({ length: lines }, (_, at) => ({ ...line(3000), x: steps(3000).map((x) => x + at) }) as Mark);
  const lengths = (lines: number) => reduced(shifted(lines)).map((mark) => (mark.mark === "line" ? mark.x.length : 0));
  expect(lengths(24).every((points) => points <= 12_000 / 24 && points > 200)).toBe(true);
  expect(lengths(200).every((points) => points <= 160 && points > 60)).toBe(true);
});

test("a band covers what it covered: of each column its lowest and its highest edge, from its first to its last point", () => {
  const low = steps(4800).map((at) => (at === 2001 ? -5 : 0));
  const high = steps(4800).map((at) => (at === 2000 ? 7 : at >= 8 && at < 12 ? null : 1));
  const [band] = reduced([{ mark: "band", series: 0, x: steps(4800), low, high, curve: "step" }]);
  if (band?.mark !== "band") throw new Error("it is a band");
  expect(band.x.length).toBeLessThanOrEqual(2400);
  const at = (step: number) => band.x.findLastIndex((x) => x <= step);
  expect([band.low[at(2001)], band.high[at(2001)]]).toEqual([-5, 7]);
  expect([band.low[at(2004)], band.high[at(2004)]]).toEqual([0, 1]);
  expect(band.high[at(9)]).toBeNull(); // a gap that fills its column
});

/** The value of a drawn line at a step. */
function drawnAt(mark: Mark | undefined, step: number): number {
  if (mark?.mark !== "line") throw new Error("it is a line");
  const at = mark.x.findLastIndex((x) => x <= step);
  const [from = 0, to = from, x0 = 0, x1 = x0] = [mark.y[at] ?? 0, mark.y[at + 1] ?? undefined, mark.x[at], mark.x[at + 1]];
  return mark.curve === "step" || x1 === x0 ? from : from + ((step - x0) / (x1 - x0)) * (to - from);
}

describe.each([200, 4000, 10_000])("what is drawn of %i steps is what was recorded", (count) => {
  // Distinct rows and components of a run: both rise at the first steps, fall and rise again; components are never more.
  const distinct = steps(count + 1).map((step) => (step < 20 ? 1 + 5 * step + (step % 3) : 100 + Math.round(20 * Math.sin(step / (1 + step / 50)))));
  const components = distinct.map((value, step) => Math.max(1, value - (step % 7)));
  const lineOf = (y: number[]): Mark => ({ mark: "line", series: 0, x: steps(count + 1), y, curve: "step" });

  it.each(["linear", "symlog", "log"] as const)("on a %s axis", (scale) => {
    const panel = figureOf([lineOf(distinct), lineOf(components)]).panels[0];
    if (!panel) throw new Error("there is a panel");
    const [upper, lower] = reduceFigure({ ...figureOf([]), panels: [{ ...panel, x: { ...axis, scale } }] }).panels[0]?.marks ?? [];
    if (upper?.mark !== "line" || lower?.mark !== "line") throw new Error("both are lines");
    const table = csvOfFigure({ ...figureOf([]), panels: [panel] })
      .trim()
      .split("\n")
      .slice(1)
      .map((row) => row.split(",").slice(-2).map(Number));
    for (const [index, mark] of [upper, lower].entries()) {
      const inTable = new Map(table.slice(index * (count + 1), (index + 1) * (count + 1)).map(([step, value]) => [step, value]));
      expect(mark.y).toEqual(mark.x.map((step) => inTable.get(step)));
    }
    const above = steps(count).filter((step) => step % 7 === 0 && drawnAt(lower, step) > drawnAt(upper, step));
    expect(above).toEqual([]);
    expect(upper.x).toEqual(lower.x);
    const early = scale === "linear" ? 0 : 20;
    for (let step = 0; step <= early; step++) expect(drawnAt(upper, step)).toBe(distinct[step]);
    expect([upper.x[0], upper.x.at(-1)]).toEqual([0, count]);
  });

  it.each(["linear", "symlog"] as const)("and the mean of an experiment stays inside its band on a %s axis", (scale) => {
    const x = steps(count + 1);
    const mean = distinct.map((value, step) => value + Math.cos(step));
    const band: Mark = { mark: "band", series: 0, x, low: mean.map((value) => value - 0.5), high: mean.map((value) => value + 0.5), curve: "step" };
    const panel = figureOf([band, { mark: "line", series: 0, x, y: mean, curve: "step" }]).panels[0];
    if (!panel) throw new Error("there is a panel");
    const [drawn, line] = reduceFigure({ ...figureOf([]), panels: [{ ...panel, x: { ...axis, scale } }] }).panels[0]?.marks ?? [];
    if (drawn?.mark !== "band" || line?.mark !== "line") throw new Error("a band and a line");
    for (const step of line.x) {
      const at = drawn.x.findLastIndex((value) => value <= step);
      expect(drawn.low[at]).toBeLessThanOrEqual(drawnAt(line, step));
      expect(drawn.high[at]).toBeGreaterThanOrEqual(drawnAt(line, step));
    }
  });
});

test.each(["straight", "step"] as const)("the edges of stacked areas are recorded values, and neighbours still touch (%s)", (curve) => {
  const first = steps(9000).map((at) => (at < 30 ? 128 - at : 50 + (at % 7)));
  const second = first.map((value, at) => value + (at === 5001 ? 60 : at % 5));
  const area = (low: number[], high: number[]): Mark => ({ mark: "band", series: 0, x: steps(9000), low, high, curve, solid: true });
  const drawn = reduced([
    area(
      first.map(() => 0),
      first,
    ),
    area(first, second),
  ]);
  const [lower, upper] = drawn.filter((mark) => mark.mark === "band");
  expect(lower?.x.length).toBeLessThanOrEqual(2 * 2400);
  expect(lower?.high).toEqual(lower?.x.map((at) => first[at]));
  expect(upper?.low).toEqual(lower?.high);
  expect(upper?.high).toEqual(lower?.x.map((at) => second[at]));
  expect(upper?.x).toContain(5001);
});

test("a staircase of few steps loses none of them, however long it is", () => {
  const y = steps(100_000).map((at) => Math.floor(at / 500));
  const [mark] = reduced([{ mark: "line", series: 0, x: steps(100_000), y, curve: "step" }]);
  if (mark?.mark !== "line") throw new Error("it is a line");
  expect(mark.x).toEqual([...steps(200).map((step) => 500 * step), 99_999]);
});

test("bands that are short and all other marks stay", () => {
  const others: Mark[] = [
    { mark: "band", series: 0, x: [0, 1], low: [0, 0], high: [1, null], curve: "step" },
    { mark: "dots", series: 0, x: steps(2000), y: steps(2000) },
    { mark: "rule", axis: "x", at: 3, text: "here" },
  ];
  expect(reduced(others)).toEqual(others);
});
