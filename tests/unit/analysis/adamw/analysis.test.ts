import { expect, test } from "vitest";
import { adamwAnalysis } from "../../../../src/analysis/adamw/analysis.js";
import type { RecordedRun } from "../../../../src/analysis/analysis.js";
import { analyze } from "../../../../src/analysis/analyze.js";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import { memoryHistory } from "../memory-source.js";

const history = memoryHistory("BF16", [2, 1, 2], new Uint8Array(8));

function run(config: object, tensors: string[]): RecordedRun {
  return {
    config: parseRunConfig(config),
    environment: { device: "cpu", cpu_capability: "AVX2", platform: "Linux-x86_64" },
    goesOn: false,
    deadTokens: [],
    tensors,
    open: () => Promise.reject(new Error("is not opened")),
  };
}

const all = ["wte", "wte.grad", "wte.exp_avg", "wte.exp_avg_sq"];

test.each([
  ["a history of no run", undefined, "needs other tensors recorded by a run, and this history belongs to no run"],
  [
    "a run without moments",
    run({}, ["wte", "wte.grad"]),
    'the run did not record wte.exp_avg, wte.exp_avg_sq: set record.tensors, or add them with "bh-bridge rerecord"',
  ],
  [
    "a run with a float32 copy",
    run({ model: { dtype: "float32-master" } }, all),
    'the run did not record wte.master: set record.tensors, or add them with "bh-bridge rerecord"',
  ],
  ["a run with noise", run({ noise: { epsilon: 1e-5 } }, all), "noise.epsilon adds noise to the weights after each step, which is not recorded"],
  ["another optimizer", run({ training: { optim: "sgd" } }, all), "supports only torch's AdamW, and training.optim is sgd"],
  [
    "a cosine",
    run({ training: { lr_scheduler_type: "cosine" } }, all),
    "cannot recompute the learning rate of training.lr_scheduler_type = cosine: record learning_rate",
  ],
])("%s is refused with the reason, when it was asked for", async (_, of, reason) => {
  const document = await analyze(history, { only: ["adamw"], run: of });
  expect(document.adamw).toBeUndefined();
  expect(document.notes).toEqual([`left out: adamw: ${reason}`]);
  expect((await analyze(history, { run: of })).notes.filter((note) => note.includes("adamw"))).toEqual([]);
});

test("people read how many components came out, the first that did not, and what moved and held them", () => {
  const one = [3];
  const lines = adamwAnalysis.print(
    {
      tensor: "wte",
      arithmetic: "fused",
      components: 2000,
      explained: 1999,
      nearbyRoots: 2,
      first: { step: 7, token: 5, component: 1, tensor: "weight", recorded: 0.5, recomputed: 0.25 },
      steps: [7],
      unexplained: [1],
      movedBy: { moment: one, decay: [0], either: [1], together: [2] },
      heldBy: { nothing: [4], rounding: [1500], opposition: [6] },
      decay: [0.001],
      moment: [0.01],
      rounding: [0.002],
    },
    (state) => state,
  );
  expect(lines.slice(0, 2)).toEqual([
    "1,999 of 2,000 recomputed components have the recorded bits (2 with a neighbour of the nearest root)",
    "The first difference: step 7, token 5, component 1: weight 0.5, recomputed 0.25",
  ]);
  expect(lines.at(-1)).toMatchObject({ rows: [["7", "3", "0", "1", "2", "1,500", "6", "4", "0.001000", "0.01000", "0.002000"]] });
});
