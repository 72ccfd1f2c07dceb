import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compareLosses } from "../../../src/runner/compare-recordings.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();

/** A run with nothing but these losses of the steps 1, 2, …, as Python writes them. */
function run(name: string, losses: readonly (number | string)[]): string {
  const path = join(directory, name);
  mkdirSync(path);
  const events = losses.map((loss, index) => ({ seq: index, mono: 0, wall: 0, type: "step_end", global_step: index + 1, epoch: 0, loss }));
  writeFileSync(join(path, "events.jsonl"), events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  return path;
}

const a = run("a", [3.5, 3.25, "NaN"]);

test("equal losses are equal, NaN too", () => {
  expect(compareLosses(a, run("same", [3.5, 3.25, "NaN"]))).toEqual({ equal: true, first: null, reason: null });
});

test("the first other loss is told in all its digits", () => {
  const other = run("other", [3.5, 3.2500000000000004, 1]);
  expect(compareLosses(a, other)).toEqual({ equal: false, first: { step: 2, a: 3.25, b: 3.2500000000000004 }, reason: null });
  expect(compareLosses(a, other, 1)).toMatchObject({ equal: true });
});

test("losses that end earlier are not equal, unless no more are asked for", () => {
  const short = run("short", [3.5, 3.25]);
  expect(compareLosses(a, short)).toEqual({ equal: false, first: null, reason: "a ends at step 3, b at step 2" });
  expect(compareLosses(a, short, 2)).toMatchObject({ equal: true });
});
