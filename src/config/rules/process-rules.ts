import type { CrossFieldRule } from "./cross-field-rule.js";

/** What several processes can share. */
export const processRules: readonly CrossFieldRule[] = [
  {
    path: "engine.processes",
    reads: ["engine.name"],
    problem: ({ engine }) =>
      engine.processes > 1 && engine.name !== "trainer" ? `engine ${engine.name} trains in one process: use engine=trainer, or engine.processes=1` : undefined,
  },
  {
    path: "engine.processes",
    reads: ["training.per_device_train_batch_size"],
    problem: ({ engine: { processes }, training }) => {
      const batch = training.per_device_train_batch_size;
      if (batch % processes === 0) return undefined;
      const divisors = Array.from({ length: Math.min(processes, batch) }, (_, index) => index + 1).filter((number) => batch % number === 0);
      return `${processes} processes cannot share a batch of ${batch} windows (training.per_device_train_batch_size) evenly: use ${divisors.at(-1)}, or another batch size`;
    },
  },
  {
    path: "engine.processes",
    reads: ["device"],
    problem: ({ engine: { processes }, device }) =>
      processes > 1 && (device === "mps" || device.startsWith("cuda:"))
        ? `each process needs a device of its own, and device=${device} is one: use cpu, or cuda, whose GPUs they share out`
        : undefined,
  },
  {
    path: "training.label_smoothing_factor",
    reads: ["engine.processes"],
    problem: ({ engine: { processes }, training }) =>
      processes > 1 && training.label_smoothing_factor
        ? "is a mean over each process's part, which HF does not weigh by its size: leave it out, or use engine.processes=1"
        : undefined,
  },
];
