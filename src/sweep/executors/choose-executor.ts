import { BhBridgeError } from "../../errors.js";
import type { UsablePython } from "../../python/resolve-python.js";
import type { Executor } from "./executor.js";
import { type ExecutorName, executorNames } from "./executor-names.js";
import { LocalExecutor } from "./local/local-executor.js";

/** Where trials are to be trained, as a caller says it. */
export interface ExecutorChoice {
  /** This machine when left out. */
  executor?: ExecutorName | undefined;
  /** Of `ray`: the address of the cluster's dashboard; that of Ray's own commands when left out, else http://127.0.0.1:8265. */
  address?: string | undefined;
  /** Of `ray`: what Ray makes for the job on each node (`pip`, `conda`, `env_vars`, …), as its `runtime_env` says it. */
  runtimeEnv?: Readonly<Record<string, unknown>> | undefined;
}

/** The executor that is asked for. @throws {BhBridgeError} `USAGE` where there is none of this name. */
export async function chooseExecutor({ executor = "local", address, runtimeEnv }: ExecutorChoice, python: UsablePython): Promise<Executor> {
  if (executor === "local") return new LocalExecutor(python);
  if (executor === "ray") {
    const [{ RayExecutor }, { rayAddress }] = await Promise.all([import("./ray/ray-executor.js"), import("./ray/ray-cluster.js")]);
    return new RayExecutor(python, { address: rayAddress(address), runtimeEnv });
  }
  throw new BhBridgeError("USAGE", `there is no executor "${String(executor)}"; there are ${executorNames.join(", ")}`);
}
