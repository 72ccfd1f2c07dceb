import { expect, test } from "vitest";
import { sweptFields } from "../../../../src/figures/many/sweep-figures.js";
import type { SweepTrial } from "../../../../src/sweep/sweep-document.js";

function trial(set: SweepTrial["set"], P: number): SweepTrial {
  const census = { rows: 4, unique: 4 - P, C: 1, P, populations: [P] };
  const displacement = { float64: 1, float32: 1, bfloat16: 1 };
  const result = { steps: 1, seconds: 1, finite: true, finalLoss: null, census, displacement, verdict: { result: "null" as const, reason: "" } };
  return { trial: "0", status: "completed", run: null, set, reason: null, result };
}

test("a field over decades has a logarithmic axis, a dot a trial, and the mean over seeds", () => {
  const trials = [trial({ "init.sigma": 1e-6, seed: 1 }, 4), trial({ "init.sigma": 1e-6, seed: 2 }, 2), trial({ "init.sigma": 1e-3, seed: 1 }, 0)];
  const [figure, ...others] = sweptFields(trials, []);
  expect(others).toEqual([]);
  const [panel] = figure?.panels ?? [];
  expect(panel?.x).toMatchObject({ label: "init.sigma", scale: "log" });
  expect(panel?.x.ticks?.map(({ text }) => text)).toEqual(["1e-6", "0.001"]); // the tried values, and no power of ten between them
  expect(panel?.marks[0]).toMatchObject({ mark: "line", x: [1e-6, 1e-3], y: [3, 0] });
  expect(panel?.marks[1]).toMatchObject({ mark: "dots", x: [1e-6, 1e-6, 1e-3], y: [4, 2, 0] });
});

test("values that are no numbers stand side by side, and another field tells the series apart", () => {
  const trials = ["layernorm", "rmsnorm"].flatMap((norm) => [1e-3, 2e-3].map((rate) => trial({ "model.norm": norm, "training.learning_rate": rate }, 2)));
  const figures = sweptFields(trials, []);
  expect(figures.map(({ name }) => name)).toEqual(["sweep-model.norm", "sweep-training.learning_rate"]);
  expect(figures[0]?.panels[0]?.x.ticks?.map(({ text }) => text)).toEqual(["layernorm", "rmsnorm"]);
  expect(figures[1]?.panels[0]?.x.scale).toBe("linear");
  expect(figures[1]?.series.map(({ name }) => name)).toEqual(["norm layernorm", "norm rmsnorm"]);
});

test("a trial that has not ended is no dot", () => expect(sweptFields([{ ...trial({ a: 1 }, 1), result: null }, trial({ a: 2 }, 1)], [])).toEqual([]));
