import { expect, test } from "vitest";
import { type AdamwLedger, learningRates, ledgerOfRun } from "../../../../src/analysis/adamw/adamw-ledger.js";
import type { RecordedRun } from "../../../../src/analysis/analysis.js";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import type { RunConfig } from "../../../../src/config/run-config-schema.js";
import type { History } from "../../../../src/formats/history.js";
import { expectedFrom } from "../../formats/reference-python.js";
import { memoryHistory } from "../memory-source.js";

const cases: [RunConfig["training"]["lr_scheduler_type"], number, number][] = [
  ["constant", 0, 20],
  ["constant_with_warmup", 7, 20],
  ["constant_with_warmup", 0.3, 23],
  ["linear", 0, 997],
  ["linear", 13, 300],
  ["linear", 0.15, 31],
];

const program = `
import json, sys, torch
from transformers import TrainingArguments, get_scheduler
found = []
for kind, warmup, steps in json.loads(sys.argv[1]):
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=3e-4)
    args = TrainingArguments(output_dir="unused", warmup_steps=warmup, use_cpu=True)
    schedule = get_scheduler(kind, optimizer, args.get_warmup_steps(steps), steps)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    found.append(rates)
print(json.dumps(found))
`;

test("the learning rates of a schedule are those of transformers, in every bit", () => {
  const found = cases.map(([lr_scheduler_type, warmup_steps, max_steps]) => {
    const rateOf = learningRates({ lr_scheduler_type, learning_rate: 3e-4, warmup_steps, max_steps });
    return Array.from({ length: max_steps }, (_, done) => rateOf?.(done + 1));
  });
  expect(found).toEqual(expectedFrom(program, JSON.stringify(cases)));
});

test("a schedule whose last bit depends on a library is not computed", () => {
  expect(learningRates({ lr_scheduler_type: "cosine", learning_rate: 1, warmup_steps: 0, max_steps: 10 })).toBeUndefined();
});

const steps = 2;
/** One float32 component with the gradient 2: with betas of 1/2, m = 1, 3/2 and v = 2, 3, and m̂/√v̂ = 2/2 = 1 in both steps. */
const series = (...values: number[]): History => memoryHistory("F32", [steps + 1, 1, 1], new Uint8Array(Float32Array.from(values).buffer));
const tensors = {
  wte: series(1, 0.75, 0.625),
  "wte.grad": series(0, 2, 2),
  "wte.exp_avg": series(0, 1, 1.5),
  "wte.exp_avg_sq": series(0, 2, 3),
  learning_rate: series(0, 0.25, 0.125),
};
const training = { adam_beta1: 0.5, adam_beta2: 0.5, adam_epsilon: 0, weight_decay: 0, learning_rate: 0.25, lr_scheduler_type: "constant", max_steps: steps };

interface Asked {
  readonly recorded?: Record<string, History>;
  readonly config?: object;
  readonly device?: string;
  readonly goesOn?: boolean;
}

/** The ledger of a run that recorded these tensors, what was noted, and what is still open. */
async function ledgerOf({ recorded = tensors, config = {}, device = "cpu", goesOn = false }: Asked) {
  const notes: string[] = [];
  const open = new Set<string>();
  const run: RecordedRun = {
    config: parseRunConfig({ model: { dtype: "float32" }, training: { ...training, ...config } }),
    environment: { device, cpu_capability: "DEFAULT", platform: "Linux-x86_64" },
    goesOn,
    deadTokens: [],
    tensors: Object.keys(recorded),
    open(tensor) {
      const history = recorded[tensor];
      if (!history) throw new Error(`${tensor} is not there`);
      open.add(tensor);
      return Promise.resolve({ ...history, close: () => open.delete(tensor) } as History);
    },
  };
  const work = (ledger: Generator<number, AdamwLedger>): Promise<AdamwLedger> => {
    for (let step = ledger.next(); ; step = ledger.next()) if (step.done) return Promise.resolve(step.value);
  };
  const found = ledgerOfRun(tensors.wte, run, (line) => notes.push(line), work);
  const settled = await found.then(
    (value) => ({ ...value, error: undefined }),
    (error: unknown) => ({ error }),
  );
  return { ...settled, notes, open: [...open] };
}

test("the recorded learning rates step the weights, and every file is closed again", async () => {
  expect(await ledgerOf({})).toMatchObject({
    ledger: { components: 2, explained: 2, first: null },
    arithmetic: expect.any(String),
    error: undefined,
    notes: [],
    open: [],
  });
});

test("where none were recorded, those of the schedule do", async () => {
  const { learning_rate: _, ...others } = tensors;
  // A constant rate explains the first step; the second was made with half of it.
  expect(await ledgerOf({ recorded: others })).toMatchObject({
    ledger: { components: 2, explained: 1, first: { step: 2, tensor: "weight", recorded: 0.625 } },
  });
});

test.each([
  ["adamw_torch_fused", {}, "fused"],
  ["adamw_torch", {}, "by-operation"],
  ["adamw_torch", { optimizer_state_dtype: "float32" }, "float32"],
])("the arithmetic is that of the optimizer: %s with %j", async (optim, config, arithmetic) => {
  expect(await ledgerOf({ config: { optim, ...config } })).toMatchObject({ arithmetic });
});

test("a run that goes on from a checkpoint is not recomputed into its first recorded step", async () => {
  expect(await ledgerOf({ goesOn: true })).toMatchObject({ ledger: { components: 1, explained: 1 } });
});

test("a run of a graphics card is recomputed with a note", async () => {
  expect((await ledgerOf({ device: "cuda:0" })).notes).toEqual([
    "adamw: the run was trained on cuda:0, but its steps are recomputed as on a CPU, so some bits differ",
  ]);
});

test("a tensor of other rows is refused, and what was opened is closed", async () => {
  const recorded = { ...tensors, "wte.exp_avg": memoryHistory("F32", [3, 2, 1], new Uint8Array(24)) };
  expect(await ledgerOf({ recorded })).toMatchObject({
    error: { code: "FORMAT_UNSUPPORTED", message: "wte.exp_avg was recorded for other rows than the embedding: its steps cannot be recomputed" },
    open: [],
  });
});

test("a run without two steps that follow each other has nothing to recompute, and says so", async () => {
  const recorded = { ...tensors, "wte.exp_avg": { ...tensors["wte.exp_avg"], steps: [0, 2, 4] } };
  expect(await ledgerOf({ recorded })).toMatchObject({
    ledger: { components: 0 },
    notes: ["adamw: no two consecutive steps were recorded, so no step can be recomputed"],
  });
});
