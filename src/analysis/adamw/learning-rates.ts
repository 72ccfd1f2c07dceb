import type { RunConfig } from "../../config/run-config-schema.js";

/** The learning rate of a step, counted from 1. */
export type LearningRates = (step: number) => number;

type Schedule = Pick<RunConfig["training"], "lr_scheduler_type" | "learning_rate" | "max_steps" | "warmup_steps">;

/**
 * The learning rates of a schedule that is made of divisions alone, in float64 as HF's `get_scheduler` has them; nothing for a schedule that takes more, such as
 * a cosine, whose last bit depends on the library.
 */
export function learningRates({ lr_scheduler_type, learning_rate, max_steps, warmup_steps }: Schedule): LearningRates | undefined {
  const warmup = warmup_steps >= 1 ? Math.floor(warmup_steps) : Math.ceil(max_steps * warmup_steps);
  const rising = (done: number): number => done / Math.max(1, warmup);
  switch (lr_scheduler_type) {
    case "constant":
      return () => learning_rate;
    case "constant_with_warmup":
      return (step) => (step - 1 < warmup ? learning_rate * rising(step - 1) : learning_rate);
    case "linear":
      return (step) => learning_rate * (step - 1 < warmup ? rising(step - 1) : Math.max(0, (max_steps - (step - 1)) / Math.max(1, max_steps - warmup)));
    default:
      return undefined;
  }
}
