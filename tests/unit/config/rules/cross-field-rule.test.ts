import { dataRules, modelRules, optimizerRules } from "../../../../src/config/rules/cross-field-rule.js";
import { testRules } from "./rule-cases.js";

testRules(dataRules, {
  broken: [
    {
      set: ['data.corpus=[{"path":"/a.txt"},{"path":"/b.txt"},{"path":"/a.txt","weight":2}]'],
      message: "data.corpus: names /a.txt twice: name it once, with the sum of the weights",
    },
    {
      set: ["data.window_length=129"],
      message: "data.window_length: 129 tokens are more than the model's 128 positions: set it to at most 128",
    },
    {
      set: ["seeds.data=1", "training.data_seed=2"],
      message: "seeds.data: is 1, and training.data_seed, which means the same, is 2: leave the latter out",
    },
  ],
  met: [],
});

testRules(modelRules, {
  broken: [
    { set: ["model.n_embd=63"], message: "model.n_embd: 63 is not divisible by model.n_head = 2: each head takes an equal share" },
    { set: ["model.type=llama", "model.head_dim=31"], message: "model.head_dim: is 31, and positions are rotations of pairs: set an even width" },
    {
      set: ["model.type=llama", "model.num_key_value_heads=4"],
      message: "model.num_key_value_heads: 4 does not divide model.num_attention_heads = 2: as many queries share each head of keys and values",
    },
    { set: ["model.type=qwen3", "model.head_dim=33"], message: "model.head_dim: is 33, and positions are rotations of pairs: set an even width" },
    {
      set: ["model.type=qwen3", "model.num_key_value_heads=3"],
      message: "model.num_key_value_heads: 3 does not divide model.num_attention_heads = 2: as many queries share each head of keys and values",
    },
    { set: ["model.type=tinylm", "model.n_embd=65"], message: "model.n_embd: 65 is not divisible by model.n_head = 2: each head takes an equal share" },
  ],
  met: [["model.n_embd=96", "model.n_head=3"]],
});

testRules(optimizerRules, {
  broken: [
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
  ],
  met: [["training.optim=sgd"]],
});
