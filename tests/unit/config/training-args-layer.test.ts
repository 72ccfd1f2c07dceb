import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";
import { trainingArgsLayer, unappliedSettings } from "../../../src/config/training-args-layer.js";
import { printedBy, temporaryDirectory } from "../formats/reference-python.js";

/** Save an object with these attributes, and code that a reader of pickles would run, as the training_args.bin of a GPT-2. */
async function checkpointWith(attributes: string): Promise<string> {
  const folder = temporaryDirectory();
  const script = `
import enum, pathlib, sys, torch
class Kind(str, enum.Enum):
    EPOCH = "epoch"; COSINE = "cosine"
class Code:
    def __reduce__(self): return pathlib.Path.touch, (pathlib.Path(sys.argv[1]) / "executed",)
class SFTConfig: pass
args = SFTConfig()
args.__dict__ = dict(code=Code(), ${attributes})
import __main__; vars(__main__).update(Kind=Kind, SFTConfig=SFTConfig)
for each in (Kind, SFTConfig): each.__module__ = "__main__"; each.__qualname__ = each.__name__
torch.save(args, pathlib.Path(sys.argv[1]) / "training_args.bin")`;
  await printedBy(script, [folder]);
  writeFileSync(join(folder, "config.json"), JSON.stringify({ model_type: "gpt2", n_embd: 32, n_layer: 1, n_head: 2, n_positions: 64, vocab_size: 128 }));
  writeFileSync(join(folder, "trainer_state.json"), JSON.stringify({ global_step: 20, max_steps: 60, epoch: 1, log_history: [] }));
  return folder;
}

test("settings under the names of earlier versions are translated, and nothing in the file is executed", async () => {
  const folder = await checkpointWith(
    "no_cuda=True, evaluation_strategy=Kind.EPOCH, per_gpu_train_batch_size=3, per_device_train_batch_size=8, _n_gpu=2, gradient_checkpointing=True, " +
      "warmup_steps=0, warmup_ratio=0.1, group_by_length=False, adafactor=True, optim='adamw_hf', lr_scheduler_type=Kind.COSINE, lr_scheduler_kwargs={}, " +
      "max_steps=-1, seed=5, data_seed=None, bf16=False, fp16=False, weight_decay=0.0, accelerator_config=dict(use_seedable_sampler=False)",
  );
  const { values, sourceOf } = trainingArgsLayer(folder);
  expect(values).toEqual({
    seed: 5,
    device: "cpu",
    training: {
      ...{ per_device_train_batch_size: 6, lr_scheduler_type: "cosine", warmup_steps: 0.1, weight_decay: 0, optim: "adafactor", bf16: false },
      ...{ activation_checkpointing: true, max_steps: 60, decay_norms: "hf", optimizer_state_dtype: "model" },
    },
  });
  expect(sourceOf("training.bf16")).toBe(`training_args.bin of ${folder}`);
  expect(unappliedSettings(folder)).toEqual([
    expect.stringContaining("text"),
    expect.stringContaining("evaluated"),
    expect.stringContaining("use_seedable_sampler"),
  ]);
  expect(existsSync(join(folder, "executed"))).toBe(false);
});

test("what the user sets wins over the settings of a checkpoint, which win over a preset; an unknown value names its source", async () => {
  const folder = await checkpointWith("learning_rate=0.5, max_steps=9, optim='adamw_torch'");
  const assignments = [{ path: "model.from", value: folder, source: "--from" }];
  const { config, sources } = await resolveRunConfig({ preset: "quick", assignments, set: ["training.max_steps=11"], resumeState: true });
  expect(config.training).toMatchObject({ learning_rate: 0.5, max_steps: 11, optim: "adamw_torch" });
  expect([sources.get("training.learning_rate"), sources.get("training.max_steps")]).toEqual([`training_args.bin of ${folder}`, "--set"]);
  const old = await checkpointWith("optim='adamw_hf'");
  const refused = resolveRunConfig({ assignments: [{ ...assignments[0], path: "model.from", value: old, source: "--from" }], resumeState: true });
  await expect(refused).rejects.toMatchObject({ issues: [{ path: "training.optim", source: `training_args.bin of ${old}` }] });
});

test("a damaged training_args.bin is a problem of model.from", async () => {
  const folder = await checkpointWith("max_steps=9");
  writeFileSync(join(folder, "training_args.bin"), "not a pickle");
  const refused = resolveRunConfig({ assignments: [{ path: "model.from", value: folder, source: "--from" }], resumeState: true });
  await expect(refused).rejects.toMatchObject({ issues: [{ path: "model.from", source: "--from", message: expect.stringContaining("training_args.bin") }] });
});
