import { dataRules } from "../../../../src/config/rules/data-rules.js";
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
