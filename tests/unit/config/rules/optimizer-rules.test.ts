import { optimizerRules } from "../../../../src/config/rules/optimizer-rules.js";
import { testRules } from "./rule-cases.js";

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
