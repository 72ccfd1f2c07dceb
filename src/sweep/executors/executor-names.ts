/** Where trials can be trained. */
export const executorNames = ["local", "ray", "slurm"] as const;
export type ExecutorName = (typeof executorNames)[number];
