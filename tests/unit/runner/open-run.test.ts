import { relative } from "node:path";
import { expect, test } from "vitest";
import { openRun } from "../../../src/runner/open-run.js";
import { writeRunOfStates } from "../figures/run-of-states.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { deadRows, writeRun, writtenLoss } from "../serve/written-run.js";

const states = [
  [
    [1, 2],
    [3, 4],
  ],
  [
    [5, 6],
    [7, 8],
  ],
];

test("a run gives its states one by one, with the steps after which they were recorded", async () => {
  const run = await openRun(relative(".", writeRunOfStates({ states, steps: [0, 10] })));
  const seen = [];
  for await (const { step, matrix } of run.history()) seen.push([step, [...matrix.toFloat64()]]);
  expect(seen).toEqual([
    [0, [1, 2, 3, 4]],
    [10, [5, 6, 7, 8]],
  ]);
});

test("other recorded tensors are asked for by name, and one that was not recorded is told", async () => {
  const run = await openRun(writeRunOfStates({ states, tensors: { "wte.grad": states.toReversed() } }));
  const { value } = await run.history("wte.grad").next();
  expect(value?.matrix.at(0, 0)).toBe(5);
  await expect(run.history("wte.exp_avg").next()).rejects.toMatchObject({ code: "TENSOR_NOT_FOUND" });
});

test("its events and its result are those of its files", async () => {
  const run = await openRun(writeRun({ folder: temporaryDirectory(), id: "run", seed: 3, steps: 20 }));
  const losses = [];
  for await (const event of run.events()) if (event.type === "step_end") losses.push(event.loss);
  expect(losses).toEqual(Array.from({ length: 20 }, (_, at) => writtenLoss(at + 1, 3)));
  expect(await run.result()).toMatchObject({ run: run.directory, status: "completed", steps: { planned: 20, done: 20 }, census: { P: deadRows.length } });
  expect([run.config.seed, run.manifest.name]).toEqual([3, "run"]);
});

test("one that says it runs, and that nobody trains, was interrupted", async () => {
  const run = await openRun(writeRun({ folder: temporaryDirectory(), id: "run", steps: 20, status: "running" }));
  const { status, seconds } = await run.result();
  expect([status, seconds]).toEqual(["interrupted", expect.closeTo(2, 9)]); // a tenth of a second a step
});

test("a directory that is no run is told", async () => {
  await expect(openRun("/nowhere")).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
});
