import { expect, test } from "vitest";
import { adamwFigure } from "../../../../src/figures/runs/adamw.js";
import { figureOf, linesOf } from "../run-of-states.js";

const zeros = (states: number) => Array.from({ length: states }, () => [[0], [0]]);

test("weights, gradients and moments that are all 0 are held by nothing, and of many steps some are looked at", async () => {
  const tensors = { "wte.grad": zeros(401), "wte.exp_avg": zeros(401), "wte.exp_avg_sq": zeros(401) };
  const figure = await figureOf(adamwFigure, { states: zeros(401), tensors });
  expect(figure.panels.map(({ title }) => title)).toEqual(["Moved by", "Held by", "Parts of an update"]);
  const lines = linesOf(figure);
  const [steps = [], held] = lines["no update"] ?? [];
  expect(steps.at(-1)).toBe(400);
  expect(steps.length).toBeGreaterThan(250);
  expect(steps.length).toBeLessThanOrEqual(300);
  expect(new Set(held)).toEqual(new Set([1]));
  for (const name of ["moments alone", "decay alone", "rounded away", "size of moments"]) expect(new Set(lines[name]?.[1]), name).toEqual(new Set([0]));
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
