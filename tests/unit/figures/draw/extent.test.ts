import { expect, test } from "vitest";
import { extentOf } from "../../../../src/figures/draw/extent.js";
import type { Axis, Mark, Panel } from "../../../../src/figures/figure.js";

const axis = (changes: Partial<Axis> = {}): Axis => ({ label: "", unit: null, scale: "linear", zero: false, domain: null, ticks: null, ...changes });
const panel = (marks: readonly Mark[], x: Partial<Axis> = {}, y: Partial<Axis> = {}): Panel => ({ title: "", x: axis(x), y: axis(y), equal: false, marks });
const line = (x: number[], y: (number | null)[]): Mark => ({ mark: "line", series: 0, x, y, curve: "straight" });

test("every kind of mark counts with all that it spans", () => {
  const marks: Mark[] = [
    line([0, 1], [5, null]),
    { mark: "band", series: 0, x: [2], low: [-1], high: [6], curve: "step" },
    { mark: "dots", series: 0, x: [3], y: [7] },
    { mark: "bins", series: 0, edges: [-4, 4], counts: [8] },
    { mark: "cells", names: ["a", "b"], edges: [0, 9], rows: ["0", "1"], levels: [0, 1] },
    { mark: "links", series: 0, x1: [-6], y1: [0], x2: [1], y2: [10] },
    { mark: "rule", axis: "x", at: 11, text: "" },
    { mark: "rule", axis: "y", at: -2, text: "" },
  ];
  expect(extentOf(panel(marks), "x")).toEqual([-6, 11]);
  expect(extentOf(panel(marks), "y")).toEqual([-2 - 0.04 * 12, 10 + 0.04 * 12]);
});

test("bars begin at 0 and have no height", () => {
  const bars: Mark = { mark: "bars", series: 0, names: ["a", "b"], values: [3, 5], notes: ["", ""] };
  expect(extentOf(panel([bars]), "x")).toEqual([0, 5]);
  expect(extentOf(panel([bars]), "y")).toEqual([0, 1]);
});

test("a domain is taken as it is", () => {
  const domain: [number, number] = [-1, 1];
  const extent = extentOf(panel([line([5], [9])], { domain }), "x");
  expect(extent).toEqual(domain);
  expect(extent).not.toBe(domain); // whoever changes it changes no figure
});

test("an axis from 0 begins there, or below", () => {
  expect(extentOf(panel([line([2, 4], [1, 2])], { zero: true }), "x")).toEqual([0, 4]);
  expect(extentOf(panel([line([-2, 4], [1, 2])], { zero: true }), "x")).toEqual([-2, 4]);
});

test("nothing is drawn below a lowest value of 0", () => expect(extentOf(panel([line([0, 1], [0, 10])]), "y")).toEqual([0, 10.4]));

test("a logarithmic axis leaves out what it has no place for, and has its room in decades", () => {
  const marks = [line([0, 10, 1000], [-1, 1, 100])];
  expect(extentOf(panel(marks, { scale: "log" }), "x")).toEqual([10, 1000]);
  const [low, high] = extentOf(panel(marks, {}, { scale: "log" }), "y");
  expect([Math.log10(low), Math.log10(high)]).toEqual([expect.closeTo(-2 * 0.04, 12), expect.closeTo(2 + 2 * 0.04, 12)]);
});

test("without a number there is a span all the same", () => {
  expect(extentOf(panel([]), "x")).toEqual([0, 1]);
  expect(extentOf(panel([line([1], [null])]), "y")).toEqual([0, 1]);
  expect(extentOf(panel([line([1], [-5])], {}, { scale: "log" }), "y")).toEqual([0.1, 1]);
});

test.each<[value: number, scale: Axis["scale"], extent: [number, number]]>([
  [0, "linear", [0, 1]],
  [3, "linear", [0, 3]],
  [-3, "linear", [-3, 0]],
  [8, "log", [4, 16]],
])("one value, %d on a %s axis, gets a span around it", (value, scale, extent) => {
  expect(extentOf(panel([line([value], [0])], { scale }), "x")).toEqual(extent);
});
