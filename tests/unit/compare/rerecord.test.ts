import { join } from "node:path";
import { expect, test } from "vitest";
import { planRerecording, type RerecordOptions, rerecord } from "../../../src/compare/rerecord.js";
import { writeHistory } from "../../../src/runs/write-history.js";
import { memoryHistory } from "../analysis/memory-source.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeModel } from "../runs/written-model.js";
import { deadRows, writeRun, writtenRows } from "../serve/written-run.js";

const written = () => writeRun({ folder: temporaryDirectory(), id: "a", steps: 4 });
const plan = (options: Partial<RerecordOptions>, directory = written()) => planRerecording(directory, { tensors: ["wte.grad"], ...options });

test("all steps are recorded later, from the run's start, with the tensors that it has and the new ones once each", async () => {
  expect(await plan({ tensors: ["wte.grad", "wte.exp_avg", "wte.grad"] })).toMatchObject({
    from: 0,
    until: 4,
    tensors: ["wte.grad", "wte.exp_avg"],
    tokens: undefined,
    checkpoint: undefined,
    record: { tensors: ["wte", "wte.grad", "wte.exp_avg"] },
  });
});

test("chosen steps go on from the checkpoint before them", async () => {
  const directory = written();
  const checkpoint = join(directory, "checkpoints", "step-000002");
  writeModel(checkpoint);
  expect(await plan({ steps: [3, 4] }, directory)).toMatchObject({ from: 3, until: 4, checkpoint });
  expect(await plan({ steps: [2, 3] }, directory)).toMatchObject({ checkpoint: undefined });
});

test("rows are those of tokens in order, once each; the run's own are recorded too, to be verified", async () => {
  expect(await plan({ rows: [9, 3, 9] })).toMatchObject({ tokens: [3, 9], record: { rows: "all" } });
  expect((await plan({ rows: "dead" })).tokens).toEqual(deadRows);
  expect((await plan({ rows: "all" })).tokens).toHaveLength(writtenRows);
});

test.each<[what: string, options: Partial<RerecordOptions>, message: RegExp]>([
  ["a tensor that the run has", { tensors: ["wte"] }, /has recorded wte of every step that it recorded: there is nothing to add/],
  ["steps that run backwards", { steps: [3, 2] }, /the steps 3\.\.2 run backwards/],
  ["steps beyond the last", { steps: [3, 5] }, /has recorded the steps 0 to 4, not 3\.\.5/],
  ["a token beyond the vocabulary", { rows: [128] }, /has the tokens 0 to 127, not 128/],
])("%s is refused before anything starts", async (_, options, message) => {
  await expect(plan(options)).rejects.toMatchObject({ code: "USAGE", message: expect.stringMatching(message) });
});

test("what was recorded later before is not recorded again", async () => {
  const directory = written();
  const history = memoryHistory("BF16", [2, writtenRows, 1], new Uint8Array(2 * writtenRows * 2));
  writeHistory(join(directory, "history.wte.grad.1-2.safetensors"), "wte.grad.1-2", {
    history: { ...history, steps: [1, 2] },
    first: 0,
    count: 2,
    lossOf: () => 1,
  });
  await expect(plan({ steps: [1, 2] }, directory)).rejects.toMatchObject({
    code: "USAGE",
    message: `${join(directory, "history.wte.grad.1-2.safetensors")} is there already: these steps of wte.grad were recorded later once before`,
  });
  expect(await plan({ steps: [1, 3] }, directory)).toMatchObject({ from: 1, until: 3 });
});

test.each([{ tensors: [] }, { tensors: [""] }, { tensors: ["wte.grad"], steps: [-1, 2] }])("%j is refused", async (options) => {
  await expect(rerecord(written(), options as never)).rejects.toMatchObject({ code: "USAGE" });
});
