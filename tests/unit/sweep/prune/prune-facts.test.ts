import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recordSchema } from "../../../../src/config/record-schema.js";
import type { DecisionState } from "../../../../src/protocol/events.js";
import { readRunManifest, readRunNotes, writeRunNotes } from "../../../../src/runs/run-manifest.js";
import { type Prune, pruneSchema } from "../../../../src/sweep/prune/prune-condition.js";
import { PruneCallback, prunedPrefix, pruneFacts } from "../../../../src/sweep/prune/prune-facts.js";
import { expectedFrom, temporaryDirectory } from "../../formats/reference-python.js";
import { deadRows, writeRun } from "../../serve/written-run.js";

const directory = temporaryDirectory();

// Eight states of six rows, of which the rows part after state 2 and stand still from state 4 on; only three are said to be committed.
const program = `
import json, sys, torch
from safetensors.torch import save_file
torch.manual_seed(1)
states = torch.ones(8, 6, 3, dtype=torch.bfloat16)
states[3:, :2] = torch.tensor([2.0, 3.0, 4.0], dtype=torch.bfloat16)
states[4:, 2] = 5.0
save_file({"embedding_history": states, "steps_done": torch.tensor(2)}, sys.argv[1])
def facts(state):
    _, counts = torch.unique(states[state].float(), dim=0, return_counts=True)
    still = next((n for n in range(state) if not torch.equal(states[state], states[state - n - 1])), state)
    return {"C": int((counts > 1).sum()), "P": int(counts[counts > 1].sum()), "unique": len(counts), "still": still}
print(json.dumps([facts(state) for state in range(8)]))`;
const expected = expectedFrom<{ C: number; P: number; unique: number; still: number }[]>(program, join(directory, "history.safetensors"));

test.each([0, 2, 3, 4, 5, 7])("after step %i the facts are torch's, of states that are not committed too", (step) => {
  const { still, ...counts } = expected[step] ?? { still: 0 };
  expect(pruneFacts(directory, { every: 1 }, step, 100, 2.5)).toEqual({ ...counts, loss: 2.5, stillSteps: still });
});

test("it is looked back no further than asked, and a beat counts its steps", () => {
  expect(pruneFacts(directory, { every: 1 }, 7, 2, 0).stillSteps).toBe(2);
  expect(pruneFacts(directory, { every: 10 }, 75, 1000, 0).stillSteps).toBe(30);
  expect(pruneFacts(directory, { every: 1 }, 7, 0, 0).stillSteps).toBe(0);
});

test("a run without a history is told", () => {
  const other = temporaryDirectory();
  expect(() => pruneFacts(other, { every: 1 }, 1, 0, 0)).toThrow(expect.objectContaining({ code: "FILE_NOT_FOUND" }));
  copyFileSync(join(directory, "history.safetensors"), join(other, "history.safetensors"));
  expect(pruneFacts(other, { every: 1 }, 1, 0, 0).C).toBe(1);
});

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
