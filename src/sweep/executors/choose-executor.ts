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
  /** Of `slurm`: options of sbatch, each `KEY=VALUE` (`partition=short`, `time=02:00:00`). */
  sbatchOptions?: readonly string[] | undefined;
  /** Of `slurm`: tasks of the job array, which share the trials out. */
  jobs?: number | undefined;
  /** Of `slurm`: write the script, and submit nothing. */
  emitOnly?: boolean | undefined;
  /** Of `slurm`: submit, and leave; the same call again follows the trials. */
  detach?: boolean | undefined;
}

/** The executor that is asked for. @throws {BhBridgeError} `USAGE` where there is none of this name. */
export async function chooseExecutor({ executor = "local", address, runtimeEnv, ...slurm }: ExecutorChoice, python: UsablePython): Promise<Executor> {
  if (executor === "local") return new LocalExecutor(python);
  if (executor === "ray") {
    const [{ RayExecutor }, { rayAddress }] = await Promise.all([import("./ray/ray-executor.js"), import("./ray/ray-cluster.js")]);
    return new RayExecutor(python, { address: rayAddress(address), runtimeEnv });
  }
  if (executor === "slurm") {
    const { SlurmExecutor } = await import("./slurm/slurm-executor.js");
    return new SlurmExecutor(python, slurm);
  }
  throw new BhBridgeError("USAGE", `there is no executor "${String(executor)}"; there are ${executorNames.join(", ")}`);
}
