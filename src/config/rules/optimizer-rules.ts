import type { CrossFieldRule } from "./cross-field-rule.js";

/** The optimizers in whose place this package's own keeps moments, or a master copy of the weights, in float32. */
export const ownStateOptimizers: readonly string[] = ["adamw_torch", "adamw_torch_fused"];

/** What an optimizer keeps beside the weights, in which precision. */
export const optimizerRules: readonly CrossFieldRule[] = [
  {
    path: "training.optimizer_state_dtype",
    reads: ["training.optim"],
    problem: ({ training }) =>
      training.optimizer_state_dtype === "float32" && !ownStateOptimizers.includes(training.optim)
        ? `"float32" needs training.optim = ${ownStateOptimizers.join(" or ")}, and it is ${training.optim}`
        : undefined,
  },
  {
    path: "model.dtype",
    reads: ["training.optim"],
    problem: ({ model, training }) =>
      model.dtype === "float32-master" && !ownStateOptimizers.includes(training.optim)
        ? `"float32-master" needs training.optim = ${ownStateOptimizers.join(" or ")}, and it is ${training.optim}`
        : undefined,
  },
  {
    path: "noise.epsilon",
    reads: ["model.dtype"],
    problem: ({ noise, model }) =>
      noise.epsilon > 0 && model.dtype === "float32-master"
        ? 'is lost with model.dtype = "float32-master", whose next step rounds the weights from its own copy: use "bfloat16" or "float32"'
        : undefined,
  },
];
