import { expect, test } from "vitest";
import { componentsOfLinks, placedInCircles } from "../../../src/figures/circle-layout.js";

test("components are the connected parts, the largest first", () => {
  const links = [
    [1, 4],
    [4, 5],
    [0, 2],
  ] as const;
  expect(componentsOfLinks(7, links).map((nodes) => [...nodes].sort())).toEqual([[1, 4, 5], [0, 2], [3], [6]]);
});

test("no two nodes share a place, and all are inside the extent", () => {
  const components = componentsOfLinks(30, [
    [0, 1],
    [1, 2],
    [2, 3],
    [10, 11],
  ]);
  const { x, y, extent } = placedInCircles(components);
  expect(new Set(x.map((value, node) => `${value} ${y[node]}`)).size).toBe(30);
  expect(x.every((value) => value > 0 && value < extent.width)).toBe(true);
  expect(y.every((value) => value > 0 && value < extent.height)).toBe(true);
});
