import { expect, test } from "vitest";
import { adamwFigure } from "../../../../src/figures/runs/adamw.js";
import { figureOf, linesOf, marksOf } from "../run-of-states.js";

const zeros = (states: number) => Array.from({ length: states }, () => [[0], [0]]);

test("weights, gradients and moments that are all 0 are held by nothing, and of many steps some are looked at", async () => {
  const tensors = { "wte.grad": zeros(401), "wte.exp_avg": zeros(401), "wte.exp_avg_sq": zeros(401) };
  const figure = await figureOf(adamwFigure, { states: zeros(401), tensors });
  expect(figure.panels.map(({ title }) => title)).toEqual(["Moved or held by", "Parts of an update"]);
  const areas = new Map(marksOf(figure, "band").map(({ series, x, low, high }) => [figure.series[series]?.name, { x, low, high }]));
  const held = areas.get("no update");
  expect(held?.x.at(-1)).toBe(400);
  expect(held?.x.length).toBeGreaterThan(250);
  expect(held?.x.length).toBeLessThanOrEqual(300);
  expect([new Set(held?.low), new Set(held?.high)]).toEqual([new Set([0]), new Set([1])]);
  for (const name of ["moments alone", "decay alone", "rounded away"]) expect(areas.get(name)?.high, name).toEqual(areas.get(name)?.low);
  expect(new Set(linesOf(figure)["size of moments"]?.[1])).toEqual(new Set([0]));
  expect(figure.caption).not.toContain("do not come out");
});

test("a weight that moves though nothing moves it is told", async () => {
  const tensors = { "wte.grad": zeros(3), "wte.exp_avg": zeros(3), "wte.exp_avg_sq": zeros(3) };
  const states = [
    [[0], [0]],
    [[0], [0]],
    [[1], [0]],
  ];
  const { caption } = await figureOf(adamwFigure, { states, tensors });
  expect(caption).toContain("1 of 4 components differ from their record");
});

test("a run that did not record the moments is told what would give it", async () => {
  await expect(figureOf(adamwFigure, { states: zeros(2), tensors: { "wte.grad": zeros(2) } })).rejects.toThrow("wte.exp_avg");
});
