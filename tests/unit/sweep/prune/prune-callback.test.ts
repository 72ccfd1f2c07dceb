import { expect, test } from "vitest";
import { recordSchema } from "../../../../src/config/record-schema.js";
import type { DecisionState } from "../../../../src/protocol/events.js";
import { readRunManifest } from "../../../../src/runs/run-manifest.js";
import { readRunNotes, writeRunNotes } from "../../../../src/runs/run-notes.js";
import { PruneCallback, prunedPrefix } from "../../../../src/sweep/prune/prune-callback.js";
import { type Prune, pruneSchema } from "../../../../src/sweep/prune/prune-condition.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { deadRows, writeRun } from "../../serve/written-run.js";

/** The dead rows of a written run are one from the middle of its 60 steps on. */
const onFall = pruneSchema.parse({ every: 10, when: "C >= 1" });
const record = recordSchema.parse({});
const run = () => writeRun({ folder: temporaryDirectory(), id: "run" });

async function isGivenUp(prune: Prune, directory: string, global_step: number): Promise<boolean | undefined> {
  const callback = new PruneCallback(prune, { record });
  callback.directory = directory;
  const state: DecisionState = { global_step, max_steps: 60, epoch: 0, loss: 2.5, best_metric: null, log_history: [] };
  return (await callback.decide.ask(state))?.should_training_stop;
}

test("a training is asked about as often as its sweep says, and given up from the step on at which a condition holds", async () => {
  const directory = run();
  expect(new PruneCallback(onFall, { record }).decide.every).toBe(10);
  expect(await Promise.all([10, 30, 31, 40].map((step) => isGivenUp(onFall, directory, step)))).toEqual([false, false, true, true]);
  expect(await isGivenUp(pruneSchema.parse({ when: "loss < 2.5" }), directory, 40)).toBe(false);
});

test("why it was given up stands in its run.json and its notes, with a tag, beside what was noted before", () => {
  const directory = run();
  writeRunNotes(directory, { note: null, tags: ["night"] });
  const reason = new PruneCallback(onFall, { record }).noteIn(directory);
  expect(reason).toBe("after step 60: C >= 1 (C is 1)");
  expect(readRunManifest(directory).reason).toBe(`${prunedPrefix}${reason}`);
  expect(readRunNotes(directory)).toMatchObject({ note: `${prunedPrefix}${reason}`, tags: ["night", "pruned"] });
});

test("a note of somebody's own stays, and a training that another decider ended says so", () => {
  const directory = run();
  writeRunNotes(directory, { note: "look at step 40", tags: [] });
  const never = pruneSchema.parse({ when: `P > ${deadRows.length}` });
  expect(new PruneCallback(never, { record }).noteIn(directory)).toBe("after step 60: stopped by a decider");
  expect(readRunNotes(directory)).toMatchObject({ note: "look at step 40", tags: ["pruned"] });
});
