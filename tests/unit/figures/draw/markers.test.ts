import { expect, test } from "vitest";
import { markerRadius } from "../../../../src/figures/draw/markers.js";

test("the area of a marker is proportional to the population", () => {
  for (const largest of [20, 52, 128]) {
    const area = (population: number) => markerRadius(population, largest) ** 2;
    for (const population of [4, 16, largest]) expect(area(population) / area(2)).toBeCloseTo(population / 2, 9);
  }
});

test("no marker is larger than 16 pixels, none smaller than can be seen, and a larger population is never smaller", () => {
  for (const largest of [1, 2, 128, 10_000, 1_000_000]) {
    const radii = [1, 2, 10, largest].map((population) => markerRadius(Math.min(population, largest), largest));
    expect(radii).toEqual([...radii].sort((a, b) => a - b));
    expect(Math.min(...radii)).toBeGreaterThanOrEqual(1.4);
    expect(Math.max(...radii)).toBeLessThanOrEqual(16);
  }
});
