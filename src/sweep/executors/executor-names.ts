/** Where trials can be trained. */
export const executorNames = ["local", "ray"] as const;
export type ExecutorName = (typeof executorNames)[number];
