import { modelRules } from "../../../../src/config/rules/model-rules.js";
import { testRules } from "./rule-cases.js";

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
