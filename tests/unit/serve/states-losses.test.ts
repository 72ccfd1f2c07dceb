import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { statesLosses } from "../../../src/serve/states-losses.js";
import { writeRun, writtenLoss } from "./written-run.js";

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
