import { join } from "node:path";
import { expect, test } from "vitest";
import { processRules, trainingRules } from "../../../../src/config/rules/training-rules.js";
import { problems, testRules } from "./rule-cases.js";

const example = join(import.meta.dirname, "../../../../examples/one_layer_attention.py");

testRules(trainingRules, {
  broken: [
    { set: ["training.fp16=true"], message: "training.fp16: cannot be combined with training.bf16: set one of them to false" },
    { set: ["training.logging_steps=1.5"], message: "training.logging_steps: must be an integer if it is above 1" },
    { set: ["training.eval_strategy=steps"], message: "training.eval_strategy: requires held-out text: set data.held_out, for example to 0.1" },
    { set: ["training.eval_on_start=true"], message: "training.eval_on_start: requires held-out text: set data.held_out, for example to 0.1" },
    {
      set: ["training.lr_scheduler_type=greedy"],
      message: 'training.lr_scheduler_type: "greedy" requires evaluation: set training.eval_strategy and data.held_out',
    },
    {
      set: ["training.lr_scheduler_type=warmup_stable_decay"],
      message:
        'training.lr_scheduler_type: "warmup_stable_decay" requires num_decay_steps: set training.lr_scheduler_kwargs, for example to {"num_decay_steps":100}',
    },
    {
      set: ["training.dataloader_prefetch_factor=2"],
      message: "training.dataloader_prefetch_factor: requires workers: set training.dataloader_num_workers above 0",
    },
    {
      set: ["training.dataloader_persistent_workers=true"],
      message: "training.dataloader_persistent_workers: requires workers: set training.dataloader_num_workers above 0",
    },
  ],
  met: [
    ["training.fp16=true", "training.bf16=false"],
    ["training.logging_steps=0.5"],
    ["training.eval_strategy=steps", "data.held_out=0.1", "training.lr_scheduler_type=reduce_lr_on_plateau"],
    ["training.dataloader_num_workers=2", "training.dataloader_prefetch_factor=2", "training.dataloader_persistent_workers=true"],
    ["training.lr_scheduler_type=cosine_with_min_lr", 'training.lr_scheduler_kwargs={"min_lr_rate":0.1}'],
    ["training.lr_scheduler_type=warmup_stable_decay", 'training.lr_scheduler_kwargs="{\\"num_decay_steps\\":3}"'],
  ],
});

test("a schedule whose arguments are missing says which", async () => {
  expect(await problems("training.lr_scheduler_type=cosine_with_min_lr")).toEqual([
    'training.lr_scheduler_type: "cosine_with_min_lr" requires min_lr or min_lr_rate: set training.lr_scheduler_kwargs, for example to {"min_lr":1e-5}',
  ]);
});

testRules(processRules, {
  broken: [
    {
      set: ["engine.processes=2", "engine=fast"],
      message: "engine.processes: engine fast supports only one process: use engine=trainer, or engine.processes=1",
    },
    {
      set: ["engine.processes=6"],
      message: "engine.processes: 6 processes cannot share a batch of 32 windows (training.per_device_train_batch_size) evenly: use 4, or another batch size",
    },
    {
      set: ["engine.processes=2", "device=cuda:1"],
      message: "engine.processes: each process requires its own device, but device=cuda:1 is a single one: use cpu, or cuda, which gives each process a GPU",
    },
    {
      set: ["engine.processes=2", `training.compute_loss_func.code=${example}`, "training.compute_loss_func.function=penalised_loss"],
      message: "engine.processes: several processes add the losses of their parts, which a model or a loss of your own need not allow: use engine.processes=1",
    },
    {
      set: ["track=wandb", "engine=fast", "engine.batched_runs=2"],
      message: 'track: supports one run per process, but engine.batched_runs is 2: set it to 1, or use "bh-bridge export --to wandb" on the finished runs',
    },
    {
      set: ["engine.processes=2", "training.label_smoothing_factor=0.1"],
      message:
        "training.label_smoothing_factor: is not supported with several processes, whose parts transformers does not weight by size: omit it, or use engine.processes=1",
    },
  ],
  met: [],
});
