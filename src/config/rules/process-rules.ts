import type { CrossFieldRule } from "./cross-field-rule.js";

/** What several processes can share. */
export const processRules: readonly CrossFieldRule[] = [
  {
    path: "processes",
    reads: ["engine"],
    problem: ({ processes, engine }) =>
      processes > 1 && engine !== "trainer" ? `engine ${engine} trains in one process: use engine=trainer, or processes=1` : undefined,
  },
  {
    path: "processes",
    reads: ["training.per_device_train_batch_size"],
    problem: ({ processes, training }) => {
      const batch = training.per_device_train_batch_size;
      if (batch % processes === 0) return undefined;
      const divisors = Array.from({ length: Math.min(processes, batch) }, (_, index) => index + 1).filter((number) => batch % number === 0);
      return `${processes} processes cannot share a batch of ${batch} windows (training.per_device_train_batch_size) evenly: use ${divisors.at(-1)}, or another batch size`;
    },
  },
  {
    path: "processes",
    reads: ["device"],
    problem: ({ processes, device }) =>
      processes > 1 && (device === "mps" || device.startsWith("cuda:"))
        ? `each process needs a device of its own, and device=${device} is one: use cpu, or cuda, whose GPUs they share out`
        : undefined,
  },
  {
    path: "training.label_smoothing_factor",
    reads: ["processes"],
    problem: ({ processes, training }) =>
      processes > 1 && training.label_smoothing_factor
        ? "is a mean over each process's part, which HF does not weigh by its size: leave it out, or use processes=1"
        : undefined,
  },
];
