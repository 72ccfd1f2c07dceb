import { processRules } from "../../../../src/config/rules/process-rules.js";
import { testRules } from "./rule-cases.js";

testRules(processRules, {
  broken: [
    { set: ["engine.processes=2", "engine=fast"], message: "engine.processes: engine fast trains in one process: use engine=trainer, or engine.processes=1" },
    {
      set: ["engine.processes=6"],
      message: "engine.processes: 6 processes cannot share a batch of 32 windows (training.per_device_train_batch_size) evenly: use 4, or another batch size",
    },
    {
      set: ["engine.processes=2", "device=cuda:1"],
      message: "engine.processes: each process needs a device of its own, and device=cuda:1 is one: use cpu, or cuda, whose GPUs they share out",
    },
    {
      set: ["engine.processes=2", "training.label_smoothing_factor=0.1"],
      message:
        "training.label_smoothing_factor: is a mean over each process's part, which HF does not weigh by its size: leave it out, or use engine.processes=1",
    },
  ],
  met: [],
});
