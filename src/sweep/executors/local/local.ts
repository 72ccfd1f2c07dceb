import type { ExecutorKind } from "../executor.js";

/** Trains on this machine. */
export const local: ExecutorKind<object> = {
  title: "this machine",
  options: [],
  async create(python) {
    const { LocalExecutor } = await import("./local-executor.js");
    return new LocalExecutor(python);
  },
};
