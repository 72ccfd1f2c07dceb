import { expect, test } from "vitest";
import { learningRates } from "../../../../src/analysis/adamw/learning-rates.js";
import type { RunConfig } from "../../../../src/config/run-config-schema.js";
import { expectedFrom } from "../../formats/reference-python.js";

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
