import { expect, test } from "vitest";
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

test("a line with a thousand points stays as it is; a longer one has no more, and its spike", () => {
  expect(reduced([line(1000)])).toEqual([line(1000)]);
  const [short] = reduced([line(5000)]);
  if (short?.mark !== "line") throw new Error("it is a line");
  expect(short.x.length).toBeLessThanOrEqual(1000);
  expect(short.x.length).toBeGreaterThan(400);
  expect(Math.max(...short.y.map((value) => value ?? 0))).toBe(9);
  expect(short.x[short.y.indexOf(9)]).toBe(777);
});

test("many lines share twelve thousand points, and none has fewer than it takes to see it", () => {
  const lengths = (lines: number) => reduced(Array.from({ length: lines }, () => line(3000))).map((mark) => (mark.mark === "line" ? mark.x.length : 0));
  expect(lengths(24).every((points) => points <= 12_000 / 24 && points > 200)).toBe(true);
  expect(lengths(200).every((points) => points <= 160 && points > 60)).toBe(true);
});

test("a band covers what it covered: of each stretch its lowest and its highest edge", () => {
  const low = steps(2000).map((at) => (at === 1001 ? -5 : 0));
  const high = steps(2000).map((at) => (at === 1000 ? 7 : at >= 4 && at < 6 ? null : 1));
  const [band] = reduced([{ mark: "band", series: 0, x: steps(2000), low, high, curve: "step" }]);
  if (band?.mark !== "band") throw new Error("it is a band");
  expect(band.x).toEqual(steps(1000).map((stretch) => 2 * stretch)); // two states a stretch
  expect([band.low[500], band.high[500]]).toEqual([-5, 7]);
  expect([band.low[499], band.high[499]]).toEqual([0, 1]);
  expect(band.high[2]).toBeNull(); // a gap that fills its stretch
});

test("bands that are short and all other marks stay", () => {
  const others: Mark[] = [
    { mark: "band", series: 0, x: [0, 1], low: [0, 0], high: [1, null], curve: "step" },
    { mark: "dots", series: 0, x: steps(2000), y: steps(2000) },
    { mark: "rule", axis: "x", at: 3, text: "here" },
  ];
  expect(reduced(others)).toEqual(others);
});
