import { expect, test } from "vitest";
import { crossFieldRules } from "../../../src/config/cross-field-rules.js";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";
import { BhBridgeError } from "../../../src/errors.js";

async function problems(...set: string[]): Promise<string[]> {
  const error: unknown = await resolveRunConfig({ set }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof BhBridgeError ? (error.issues ?? []).map(({ path, message }) => `${path}: ${message}`) : [];
}

const broken = [
  {
    set: ['data.corpus=[{"path":"/a.txt"},{"path":"/b.txt"},{"path":"/a.txt","weight":2}]'],
    message: "data.corpus: names /a.txt twice: name it once, with the sum of the weights",
  },
  { set: ["model.type=llama", "model.head_dim=31"], message: "model.head_dim: is 31, and positions are rotations of pairs: set an even width" },
  {
    set: ["model.type=qwen3", "model.num_key_value_heads=3"],
    message: "model.num_key_value_heads: 3 does not divide model.num_attention_heads = 2: as many queries share each head of keys and values",
  },
  {
    set: ["data.window_length=129"],
    message: "data.window_length: 129 tokens are more than the model's 128 positions: set it to at most 128",
  },
  {
    set: ["seeds.data=1", "training.data_seed=2"],
    message: "seeds.data: is 1, and training.data_seed, which means the same, is 2: leave the latter out",
  },
  { set: ["stack=2"], message: "stack: engine trainer has no stack: use engine=fast, or stack=1" },
  {
    set: ["engine=fast", "stack=2", "compiled_step=on"],
    message: "compiled_step: a stack is not compiled: use compiled_step=off, or stack=1",
  },
  { set: ["engine=fast", "model.type=llama"], message: "model.type: engine fast has no llama here, only gpt2: use it, or engine=trainer" },
  { set: ["model.n_embd=63"], message: "model.n_embd: 63 is not divisible by model.n_head = 2: each head takes an equal share" },
  { set: ['record.tensors=["wte.grad"]'], message: 'record.tensors: must contain "wte": the census and the verdict are computed from it' },
  { set: ['record.tensors=["wte","wte"]'], message: "record.tensors: names a tensor twice" },
  {
    set: ['record.tensors=["wte","wte.exp_avg"]', "training.optim=sgd"],
    message: "record.tensors: training.optim = sgd has no moments of Adam: name what it keeps, or use adamw_torch or adamw_torch_fused",
  },
  {
    set: ["record.rows=[1,128,200]"],
    message: "record.rows: rows go from 0 to 127 (model.vocab_size is 128), and 128, 200 lie beyond",
  },
  {
    set: ['record.tensors=["wte","wte.master"]'],
    message: 'record.tensors: a master copy of the weights exists with model.dtype = "float32-master" only, and it is "bfloat16"',
  },
  {
    set: ['record.tensors=["wte","hidden.mean","logits.mean"]', "engine=fast"],
    message: "record.tensors: engine fast does not compute hidden.mean, logits.mean: use engine=trainer, or leave it out",
  },
  { set: ['record.schedules={"wte.grad":10}'], message: "record.schedules: wte.grad is not recorded: name it in record.tensors too" },
  {
    set: ["record.rows=/a/", "model.vocab_size=300"],
    message: "record.rows: a pattern is of characters, and nothing tells how the 300 tokens are written: list their ids, or name a data.tokenizer",
  },
  { set: ["record.rows=[1,1]"], message: "record.rows: names a row twice" },
  { set: ["training.fp16=true"], message: "training.fp16: excludes training.bf16, which is true: set one of the two to false" },
  { set: ["training.logging_steps=1.5"], message: "training.logging_steps: must be a whole number when it is above 1" },
  {
    set: ["training.optimizer_state_dtype=float32", "training.optim=adafactor"],
    message: 'training.optimizer_state_dtype: "float32" needs training.optim = adamw_torch or adamw_torch_fused, and it is adafactor',
  },
  {
    set: ["model.dtype=float32-master", "training.optim=adafactor"],
    message: 'model.dtype: "float32-master" needs training.optim = adamw_torch or adamw_torch_fused, and it is adafactor',
  },
  {
    set: ["noise.epsilon=1", "model.dtype=float32-master"],
    message: 'noise.epsilon: is lost with model.dtype = "float32-master", whose next step rounds the weights from its own copy: use "bfloat16" or "float32"',
  },
  { set: ["training.eval_strategy=steps"], message: "training.eval_strategy: there is no text to evaluate on: set data.held_out, for example to 0.1" },
  { set: ["training.eval_on_start=true"], message: "training.eval_on_start: there is no text to evaluate on: set data.held_out, for example to 0.1" },
  {
    set: ["training.lr_scheduler_type=greedy"],
    message: 'training.lr_scheduler_type: "greedy" follows an evaluation: set training.eval_strategy and data.held_out',
  },
  {
    set: ["training.lr_scheduler_type=warmup_stable_decay"],
    message:
      'training.lr_scheduler_type: "warmup_stable_decay" needs num_decay_steps: set training.lr_scheduler_kwargs, for example to {"num_decay_steps":100}',
  },
  {
    set: ["training.dataloader_prefetch_factor=2"],
    message: "training.dataloader_prefetch_factor: only workers load ahead: set training.dataloader_num_workers above 0",
  },
  {
    set: ["training.dataloader_persistent_workers=true"],
    message: "training.dataloader_persistent_workers: there are no workers to keep: set training.dataloader_num_workers above 0",
  },
  {
    set: ["engine=fast", "model.activation_function=relu"],
    message: "model.activation_function: engine fast has no relu here, only gelu_new: use it, or engine=trainer",
  },
  { set: ["engine=fast", "model.resid_pdrop=0.1"], message: "model.resid_pdrop: engine fast has no 0.1 here, only 0: use it, or engine=trainer" },
  { set: ["engine=fast", "model.embd_pdrop=0.1"], message: "model.embd_pdrop: engine fast has no 0.1 here, only 0: use it, or engine=trainer" },
  { set: ["engine=fast", "model.attn_pdrop=0.1"], message: "model.attn_pdrop: engine fast has no 0.1 here, only 0: use it, or engine=trainer" },
  {
    set: ["engine=fast", "model.reorder_and_upcast_attn=true"],
    message: "model.reorder_and_upcast_attn: engine fast has no true here, only false: use it, or engine=trainer",
  },
  {
    set: ["engine=fast", "training.optim=adafactor"],
    message: "training.optim: engine fast has no adafactor here, only adamw_torch or adamw_torch_fused: use it, or engine=trainer",
  },
  {
    set: ["engine=fast", "training.label_smoothing_factor=0.1"],
    message: "training.label_smoothing_factor: engine fast has no 0.1 here, only 0: use it, or engine=trainer",
  },
  {
    set: ["engine=fast", "training.neftune_noise_alpha=5"],
    message: "training.neftune_noise_alpha: engine fast has no 5 here, leave it out, or use engine=trainer",
  },
  {
    set: ["engine=fast", "training.fp16=true", "training.bf16=false"],
    message: "training.fp16: engine fast has no true here, only false: use it, or engine=trainer",
  },
  {
    set: ["engine=fast", "training.torch_compile=true"],
    message: "training.torch_compile: engine fast has no true here, only false: use it, or engine=trainer",
  },
  {
    set: ["engine=fast", "training.activation_checkpointing=true"],
    message: "training.activation_checkpointing: engine fast has no true here, only false: use it, or engine=trainer",
  },
  { set: ["processes=2", "engine=fast"], message: "processes: engine fast trains in one process: use engine=trainer, or processes=1" },
  {
    set: ["processes=6"],
    message: "processes: 6 processes cannot share a batch of 32 windows (training.per_device_train_batch_size) evenly: use 4, or another batch size",
  },
  {
    set: ["processes=2", "device=cuda:1"],
    message: "processes: each process needs a device of its own, and device=cuda:1 is one: use cpu, or cuda, whose GPUs they share out",
  },
  {
    set: ["processes=2", "training.label_smoothing_factor=0.1"],
    message: "training.label_smoothing_factor: is a mean over each process's part, which HF does not weigh by its size: leave it out, or use processes=1",
  },
];

test("every rule has a case below", () => {
  expect(broken).toHaveLength(crossFieldRules.length);
});

test.each(broken)("$message", async ({ set, message }) => {
  expect(await problems(...set)).toEqual([message]);
});

test.each([
  ["model.n_embd=96", "model.n_head=3"],
  ["record.rows=[0,127]"],
  ["training.fp16=true", "training.bf16=false"],
  ["training.logging_steps=0.5"],
  ["training.eval_strategy=steps", "data.held_out=0.1", "training.lr_scheduler_type=reduce_lr_on_plateau"],
  ["training.dataloader_num_workers=2", "training.dataloader_prefetch_factor=2", "training.dataloader_persistent_workers=true"],
  ["training.optim=sgd"],
  ["engine=fast", "training.optim=adamw_torch", "training.torch_compile=false"],
  ["training.lr_scheduler_type=cosine_with_min_lr", 'training.lr_scheduler_kwargs={"min_lr_rate":0.1}'],
  ["training.lr_scheduler_type=warmup_stable_decay", 'training.lr_scheduler_kwargs="{\\"num_decay_steps\\":3}"'],
])("%s: the rules are met", async (...set) => {
  expect(await problems(...set)).toEqual([]);
});

test.each([
  [["model.n_head=3"], "model.n_head: 3 does not fit model.n_embd: 64 is not divisible by model.n_head = 3: each head takes an equal share"],
  [["model.n_head=3", "model.n_embd=64"], "model.n_embd: 64 is not divisible by model.n_head = 3: each head takes an equal share"],
  [
    ["training.lr_scheduler_type=cosine_with_min_lr"],
    'training.lr_scheduler_type: "cosine_with_min_lr" needs min_lr or min_lr_rate: set training.lr_scheduler_kwargs, for example to {"min_lr":1e-5}',
  ],
])("of the values in a broken rule the one that was set is blamed: %s", async (set, message) => {
  expect(await problems(...set)).toEqual([message]);
});

test("the source is that of the value that is blamed", async () => {
  await expect(resolveRunConfig({ set: ["model.n_head=3"] })).rejects.toMatchObject({ issues: [{ path: "model.n_head", source: "--set" }] });
  await expect(resolveRunConfig({ input: { model: { n_head: 3 } } })).rejects.toMatchObject({ issues: [{ path: "model.n_head", source: "input" }] });
});

test("a rule is checked beside wrong fields, but not with them", async () => {
  expect(await problems("model.n_embd=63", "training.learning_rate=fast")).toHaveLength(2);
  expect(await problems("model.n_embd=63", "model.n_head=two")).toEqual(['model.n_head: "two" is not accepted: expected an integer of at least 1']);
});

test("a pattern of rows that is none, or that no token matches, is refused", async () => {
  expect(await problems("record.rows=/[0/")).toEqual([
    "record.rows: /[0/ is no regular expression: Invalid regular expression: /[0/: Unterminated character class",
  ]);
  expect(await problems("record.rows=/a/", "model.vocab_size=1000")).toEqual([
    "record.rows: a pattern is of characters, and nothing tells how the 1000 tokens are written: list their ids, or name a data.tokenizer",
  ]);
  expect(await problems("record.rows=/a/", "data.tokenizer=tokenizer.json")).toEqual([]); // known when the tokenizer is read
  expect(await problems("record.rows=/é/")).toEqual(["record.rows: /é/ matches no token"]);
});
