import { expect, test } from "vitest";
import { styledSeries } from "../../../src/figures/styled-series.js";

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
