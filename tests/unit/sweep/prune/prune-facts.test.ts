import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pruneFacts } from "../../../../src/sweep/prune/prune-facts.js";
import { expectedFrom, temporaryDirectory } from "../../formats/reference-python.js";

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
