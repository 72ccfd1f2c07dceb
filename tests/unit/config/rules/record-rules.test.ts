import { expect, test } from "vitest";
import { recordRules } from "../../../../src/config/rules/record-rules.js";
import { problems, testRules } from "./rule-cases.js";

testRules(recordRules, {
  broken: [
    { set: ['record.tensors=["wte.grad"]'], message: 'record.tensors: must contain "wte", which the census and the verdict require' },
    { set: ['record.tensors=["wte","wte"]'], message: "record.tensors: names a tensor twice" },
    {
      set: ['record.tensors=["wte","wte.exp_avg"]', "training.optim=sgd"],
      message: "record.tensors: training.optim = sgd does not have Adam's moments: name its own state, or use adamw_torch or adamw_torch_fused",
    },
    {
      set: ['record.tensors=["wte","wte.master"]'],
      message: 'record.tensors: a master copy of the weights requires model.dtype = "float32-master", got "bfloat16"',
    },
    {
      set: ['record.tensors=["wte","hidden.mean","logits.mean"]', "engine=fast"],
      message: "record.tensors: engine fast does not compute hidden.mean, logits.mean: use engine=trainer, or omit it",
    },
    { set: ['record.schedules={"wte.grad":10}'], message: "record.schedules: wte.grad is not recorded: name it in record.tensors too" },
    {
      set: ["record.rows=/a/", "model.vocab_size=300"],
      message: "record.rows: a pattern matches the text of tokens, which is unknown for 300 tokens: list their ids, or set data.tokenizer",
    },
    {
      set: ["record.rows=[1,128,200]"],
      message: "record.rows: rows must be between 0 and 127 (model.vocab_size is 128), got 128, 200",
    },
    { set: ["record.rows=[1,1]"], message: "record.rows: names a row twice" },
  ],
  met: [["record.rows=[0,127]"]],
});

test("a pattern of rows that is none, or that no token matches, is refused", async () => {
  expect(await problems("record.rows=/[0/")).toEqual([
    "record.rows: /[0/ is not a regular expression: Invalid regular expression: /[0/: Unterminated character class",
  ]);
  expect(await problems("record.rows=/a/", "model.vocab_size=1000")).toEqual([
    "record.rows: a pattern matches the text of tokens, which is unknown for 1000 tokens: list their ids, or set data.tokenizer",
  ]);
  expect(await problems("record.rows=/a/", "data.tokenizer=tokenizer.json")).toEqual([]); // known when the tokenizer is read
  expect(await problems("record.rows=/é/")).toEqual(["record.rows: /é/ matches no token"]);
});
