import { BhBridgeError } from "../../errors.js";
import type { UsablePython } from "../../python/resolve-python.js";
import type { Executor } from "./executor.js";
import { type ExecutorName, executorNames } from "./executor-names.js";
import { LocalExecutor } from "./local/local-executor.js";

/** Where trials are to be trained, as a caller says it. */
export interface ExecutorChoice {
  /** This machine when left out. */
  executor?: ExecutorName | undefined;
}

/** The executor that is asked for. @throws {BhBridgeError} `USAGE` where there is none of this name. */
export async function chooseExecutor({ executor = "local" }: ExecutorChoice, python: UsablePython): Promise<Executor> {
  if (executor === "local") return new LocalExecutor(python);
  throw new BhBridgeError("USAGE", `there is no executor "${String(executor)}"; there are ${executorNames.join(", ")}`);
}
