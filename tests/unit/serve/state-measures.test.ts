import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { History } from "../../../src/formats/history.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { MeasuredStates, statesLosses } from "../../../src/serve/state-measures.js";
import { writeRun, writtenLoss } from "./written-run.js";

/** A history of two rows in float32: the first goes along x by 2 a state, the second stands, or both are equal. */
function historyOf(states: number, read: { count: number }): History {
  return {
    source: "test",
    dtype: "F32",
    states,
    tokens: 2,
    dims: 2,
    rowTokens: RowTokens.all(2),
    read(first, count, target) {
      read.count += count;
      const values = Array.from({ length: count }, (_, at) => [2 * (first + at), 0, 0, 0]).flat();
      target.set(new Uint8Array(Float32Array.from(values).buffer));
    },
    close() {},
  };
}

test("counts, places and steps of each state, by hand", async () => {
  const { counts, places } = await new MeasuredStates().of(async () => historyOf(4, { count: 0 }), false);
  expect(counts).toEqual({ every: 1, steps: [0, 1, 2, 3], unique: [1, 2, 2, 2], C: [1, 0, 0, 0], P: [2, 0, 0, 0] });
  expect(places.centroidNorm).toEqual([0, 1, 2, 3]); // the mean of 2·state and 0
  expect(places.displacement).toEqual([0, 1, 2, 3]);
  expect(places.maxRadius).toEqual([0, 1, 2, 3]);
  expect(places.meanStep).toEqual([Number.NaN, 1, 1, 1]); // one row steps by 2, the other stands
  expect(places.still).toEqual([Number.NaN, 0.5, 0.5, 0.5]);
});

test("a history that has grown is measured from where it was left, and comes out as one that is measured at once", async () => {
  const read = { count: 0 };
  const grown = new MeasuredStates();
  await grown.of(async () => historyOf(50, read), false);
  const before = read.count;
  const { counts, places } = await grown.of(async () => historyOf(60, read), false);
  expect(read.count - before).toBeLessThan(40); // ten new states, each looked at three times
  const whole = await new MeasuredStates().of(async () => historyOf(60, read), false);
  expect({ counts, places }).toEqual(whole);
});

test("one that has been cut back is measured anew", async () => {
  const measured = new MeasuredStates();
  await measured.of(async () => historyOf(50, { count: 0 }), false);
  const { counts } = await measured.of(async () => historyOf(10, { count: 0 }), false);
  expect(counts.steps.length).toBe(10);
});

test("the losses of a run's records, without the first state, and without the room behind the last record", () => {
  const folder = mkdtempSync(join(tmpdir(), "bh-bridge-losses-"));
  const run = writeRun({ folder, id: "run", steps: 5, seed: 2 });
  appendFileSync(join(run, "history.idx"), Buffer.alloc(240)); // reserved, as of a run that is under way
  expect(statesLosses(run)).toEqual({ x: [1, 2, 3, 4, 5], y: [1, 2, 3, 4, 5].map((step) => writtenLoss(step, 2)) });
  rmSync(folder, { recursive: true });
});

test("a run that has no index yet has no losses", () => {
  expect(statesLosses("/nowhere")).toBeUndefined();
});
