import { join } from "node:path";
import { dataRules, modelRules, optimizerRules } from "../../../../src/config/rules/cross-field-rule.js";
import { testRules } from "./rule-cases.js";

testRules(dataRules, {
  broken: [
    {
      set: ['data.corpus=[{"path":"/a.txt"},{"path":"/b.txt"},{"path":"/a.txt","weight":2}]'],
      message: "data.corpus: names /a.txt twice: name it once, with the sum of the weights",
    },
    {
      set: ["data.corpus=/train.bin", "data.train_tokenizer=byte-bpe"],
      message: "data.train_tokenizer: cannot be trained on /train.bin, which has token ids: omit it, or name the tokenizer of the ids with data.tokenizer",
    },
    {
      set: ["data.window_length=129"],
      message: "data.window_length: must not exceed the model's 128 positions, got 129",
    },
    {
      set: ["seeds.data=1", "training.data_seed=2"],
      message: "seeds.data: is 1, but training.data_seed has the same meaning and is 2: omit training.data_seed",
    },
  ],
  met: [["data.corpus=/train.bin", "data.train_tokenizer=byte-bpe", "data.tokenizer=/tokenizer.json"]],
});

const ownModel = [`model.code=${join(import.meta.dirname, "../../../../examples/one_layer_attention.py")}`, "model.type=python", "model.class=Net"];

testRules(modelRules, {
  broken: [
    {
      set: [...ownModel, "data.window_length=32"],
      message:
        "model.vocab_size: is missing: set it to the number of rows of the embedding, or name an argument of the constructor vocab_size and set it in model.fields",
    },
    { set: ["model.n_embd=63"], message: "model.n_embd: 63 is not divisible by model.n_head = 2: all heads have the same width" },
    { set: ["model.type=llama", "model.head_dim=31"], message: "model.head_dim: must be even, since positions rotate pairs of components, got 31" },
    {
      set: ["model.type=llama", "model.num_key_value_heads=4"],
      message: "model.num_key_value_heads: must divide model.num_attention_heads (2), got 4",
    },
    { set: ["model.type=qwen3", "model.head_dim=33"], message: "model.head_dim: must be even, since positions rotate pairs of components, got 33" },
    {
      set: ["model.type=qwen3", "model.num_key_value_heads=3"],
      message: "model.num_key_value_heads: must divide model.num_attention_heads (2), got 3",
    },
    { set: ["model.type=tinylm", "model.n_embd=65"], message: "model.n_embd: 65 is not divisible by model.n_head = 2: all heads have the same width" },
  ],
  met: [
    ["model.n_embd=96", "model.n_head=3"],
    [...ownModel, "data.window_length=32", "model.fields.vocab_size=128"],
    [...ownModel, "model.vocab_size=128", "model.fields.n_positions=32"],
  ],
});

testRules(optimizerRules, {
  broken: [
    {
      set: ["training.optimizer_state_dtype=float32", "training.optim=adafactor"],
      message: 'training.optimizer_state_dtype: "float32" requires training.optim = adamw_torch or adamw_torch_fused, got adafactor',
    },
    {
      set: ["model.dtype=float32-master", "training.optim=adafactor"],
      message: 'model.dtype: "float32-master" requires training.optim = adamw_torch or adamw_torch_fused, got adafactor',
    },
    {
      set: ["noise.epsilon=1", "model.dtype=float32-master"],
      message: 'noise.epsilon: has no effect with model.dtype = "float32-master", which rounds the weights from its own copy: use "bfloat16" or "float32"',
    },
  ],
  met: [["training.optim=sgd"]],
});
