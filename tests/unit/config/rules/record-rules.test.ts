import { expect, test } from "vitest";
import { recordRules } from "../../../../src/config/rules/record-rules.js";
import { problems, testRules } from "./rule-cases.js";

testRules(recordRules, {
  broken: [
    { set: ['record.tensors=["wte.grad"]'], message: 'record.tensors: must contain "wte": the census and the verdict are computed from it' },
    { set: ['record.tensors=["wte","wte"]'], message: "record.tensors: names a tensor twice" },
    {
      set: ['record.tensors=["wte","wte.exp_avg"]', "training.optim=sgd"],
      message: "record.tensors: training.optim = sgd has no moments of Adam: name what it keeps, or use adamw_torch or adamw_torch_fused",
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
    {
      set: ["record.rows=[1,128,200]"],
      message: "record.rows: rows go from 0 to 127 (model.vocab_size is 128), and 128, 200 lie beyond",
    },
    { set: ["record.rows=[1,1]"], message: "record.rows: names a row twice" },
  ],
  met: [["record.rows=[0,127]"]],
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
