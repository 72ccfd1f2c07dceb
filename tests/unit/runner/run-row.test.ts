import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { fieldOf, type ListedRun, requireField, runFieldNames, runRow } from "../../../src/runner/run-row.js";
import { findRun, noLockHolders } from "../../../src/runs/scan-runs.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { deadRows, stretchHistory, writeRun } from "../serve/written-run.js";

const written = (id: string) => writeRun({ folder: temporaryDirectory(), id, name: "a run", seed: 7 });
const found = (directory: string) => findRun(directory, noLockHolders);
const log = (loss: unknown) => `${JSON.stringify({ seq: 99, mono: 7, wall: 1e9 + 7, type: "log", global_step: 60, epoch: 0.1, logs: { loss } })}\n`;

test("a run is summed up from its files: steps, black holes of its newest state, its logged loss", async () => {
  const directory = written("whole");
  appendFileSync(join(directory, "events.jsonl"), log(2.5));
  expect(await runRow(await found(directory))).toMatchObject({
    ...{ run: directory, name: "a run", status: "completed", preset: "quick", seed: 7, steps: { planned: 60, done: 60 } },
    ...{ loss: 2.5, finite: true, C: 1, P: deadRows.length, tags: [], note: null, pid: null, problem: null },
  });
});

test("a loss that is not a number is none", async () => {
  const directory = written("loss-NaN");
  appendFileSync(join(directory, "events.jsonl"), log("NaN"));
  expect((await runRow(await found(directory))).loss).toBeNull();
});

test("a run that is shorter than training.logging_steps has the loss of its newest step", async () => {
  const directory = written("short");
  const last = JSON.parse(readFileSync(join(directory, "events.jsonl"), "utf8").trim().split("\n").at(-1) ?? "");
  expect(last).toMatchObject({ type: "step_end", global_step: 60, loss: expect.any(Number) });
  expect((await runRow(await found(directory))).loss).toBe(last.loss);
});

test("a matrix that is too large for a list is not counted", async () => {
  const directory = written("large");
  stretchHistory(directory, [61, 65_537, 64]); // one row more than 4,194,304 elements
  expect(await runRow(await found(directory))).toMatchObject({ status: "completed", steps: { done: 60 }, finite: null, C: null, P: null });
});

test("a run that has recorded nothing yet has taken no step", async () => {
  const directory = written("young");
  for (const file of ["history.safetensors", "history.idx"]) rmSync(join(directory, file));
  expect(await runRow(await found(directory))).toMatchObject({ steps: { planned: 60, done: 0 }, C: null, finite: null, problem: null });
});

test("what cannot be read makes a run corrupt, and is said; one that is being written stays running", async () => {
  const directory = written("damaged");
  writeFileSync(join(directory, "config.json"), "{");
  const run = await found(directory);
  expect(await runRow(run)).toMatchObject({ status: "corrupt", seed: null, steps: null, problem: expect.stringContaining("config.json") });
  expect(await runRow({ ...run, status: "running", pid: 5 })).toMatchObject({ status: "running", pid: 5, problem: expect.stringContaining("config.json") });
});

test("without a manifest there is its name and the problem", async () => {
  const directory = written("torn");
  writeFileSync(join(directory, "run.json"), "");
  expect(await runRow(await found(directory))).toMatchObject({ name: "torn", status: "corrupt", preset: null, configHash: null, problem: expect.any(String) });
});

const run: ListedRun = {
  row: {
    run: "/runs/2026-a",
    name: "a",
    status: "completed",
    reason: null,
    preset: "quick",
    seed: 7,
    created: "2026-11-25T09:00:00Z",
    ended: null,
    seconds: 2.5,
    steps: { planned: 10, done: 4 },
    loss: null,
    finite: false,
    C: 1,
    P: 51,
    configHash: "0123456789abcdef",
    tags: ["x"],
    note: null,
    pid: null,
    problem: null,
  },
  config: parseRunConfig({ seed: 7, training: { learning_rate: 3e-4 }, record: { rows: [1, 2] } }),
};

test.each([
  ["run", "2026-a"],
  ["steps", 4],
  ["planned", 10],
  ["finite", "no"],
  ["hash", "01234567"],
  ["tags", ["x"]],
  ["loss", null],
  ["training.learning_rate", 3e-4],
  ["record.rows", "[1,2]"],
  ["threads", null],
  ["training.seed", 7],
  ["training.run_name", "a"],
  ["no.such.field", null],
])("the field %s is %j", (name, value) => {
  expect(fieldOf(run, name)).toEqual(value);
});

test("what every object inherits is no field", () => {
  expect(fieldOf(run, "constructor")).toBeNull();
  expect(() => requireField("toString", [run])).toThrow("runs have no field");
});

test("a misspelt field is refused with the nearest, from the run's own or from its configuration", () => {
  expect(() => requireField("stauts", [run])).toThrow(/did you mean status\?/);
  expect(() => requireField("training.learning_rat", [run])).toThrow(/did you mean training\.learning_rate\?/);
  for (const name of [...runFieldNames, "training.learning_rate", "training.seed"]) expect(() => requireField(name, [run])).not.toThrow();
});

test("without a readable configuration any path may be there", () => {
  expect(() => requireField("training.learning_rat", [{ ...run, config: undefined }])).not.toThrow();
});
