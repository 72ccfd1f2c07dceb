import type { ExecutorKind } from "../executor.js";

export const local: ExecutorKind<object> = {
  title: "this machine",
  options: [],
  async create(python) {
    const { LocalExecutor } = await import("./local-executor.js");
    return new LocalExecutor(python);
  },
};
