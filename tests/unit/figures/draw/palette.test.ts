import { expect, test } from "vitest";
import { colourClass, figureStyle } from "../../../../src/figures/draw/legend.js";
import { dashOf, symbolOf } from "../../../../src/figures/draw/markers.js";

const colour = /\.((?:series|levels)\d+)\{color:(#[0-9a-f]{6})\}/g;
const coloursOf = (style: string) => new Map([...style.matchAll(colour)].map(([, name = "", value = ""]) => [name, value]));
const inkAndGround = (style: string) => [/^svg\{color:(#[0-9a-f]{6})\}/.exec(style)?.[1] ?? "", /\.ground\{fill:(#[0-9a-f]{6})\}/.exec(style)?.[1] ?? ""];

/** Relative luminance, as WCAG 2.1 defines it. */
function luminance(hex: string): number {
  const linear = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0);
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

test.each(["light", "dark"] as const)("on a %s ground, text and the lines of series can be made out, and no two series have one colour", (theme) => {
  const style = figureStyle(theme);
  const [ink = "", ground = ""] = inkAndGround(style);
  expect(contrast(ink, ground)).toBeGreaterThan(7);
  const series = [...coloursOf(style)].filter(([name]) => name.startsWith("series")).map(([, value]) => value);
  for (const each of series) expect(contrast(each, ground)).toBeGreaterThan(3); // WCAG 1.4.11
  expect(new Set(series).size).toBe(series.length);
});

test.each(["light", "dark"] as const)("on a %s ground, levels go one way in lightness, from the ground to the most", (theme) => {
  const style = figureStyle(theme);
  const [, ground = ""] = inkAndGround(style);
  const ways = [...coloursOf(style)].filter(([name]) => name.startsWith("levels")).map(([, value]) => contrast(value, ground));
  expect(ways).toEqual([...ways].sort((a, b) => a - b));
});

test("both grounds have the same classes, and auto has both, the dark one on screens alone", () => {
  expect([...coloursOf(figureStyle("light")).keys()]).toEqual([...coloursOf(figureStyle("dark")).keys()]);
  expect(figureStyle("auto")).toBe(`${figureStyle("light")}@media screen and (prefers-color-scheme:dark){${figureStyle("dark")}}`);
  expect(figureStyle("light", ".figure")).toMatch(/^\.figure\{color:/);
});

test("more series than there are colours begin anew, with other dashes and another marker", () => {
  const count = [...coloursOf(figureStyle("light")).keys()].filter((name) => name.startsWith("series")).length;
  const look = (index: number) => [colourClass({ palette: "series", color: index }), dashOf(index), symbolOf(index)].join();
  expect(colourClass({ palette: "series", color: count })).toBe("series0");
  const all = Array.from({ length: 5 * count }, (_, index) => look(index));
  expect(new Set(all).size).toBe(all.length);
});
