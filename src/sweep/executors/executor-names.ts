/** Where trials can be trained. */
export const executorNames = ["local"] as const;
export type ExecutorName = (typeof executorNames)[number];
