import { delimiter, join } from "node:path";
import { execa } from "execa";
import { BhBridgeError } from "../errors.js";
import { allocator } from "./launcher.js";
import { packageRoot } from "./package-root.js";
import { pythonVariables } from "./python-variables.js";

/** The machines that share a training, as each of them is told. */
export interface TrainingNodes {
  /** How many there are. */
  count: number;
  /** Which one this is; 0 records. */
  rank: number;
  /** Of the first machine. */
  host: string;
  /** Where the first machine waits. */
  port: number;
  /** Tells one training from another; the same on all machines. */
  id: string;
}

/** The environment variable that a training's Python reads of them. */
export function nodesVariable({ count, host, port, id }: TrainingNodes): Record<string, string> {
  return { BH_BRIDGE_NODES: JSON.stringify({ count, host, port, id }) };
}

/**
 * Compute this machine's part of a training that another machine records; resolves when that training has ended. What goes wrong here is printed as well.
 *
 * @throws {BhBridgeError} `PEER_EXITED` where it ends in another way; `ABORTED`.
 */
export async function joinTraining(interpreter: string, nodes: TrainingNodes, signal?: AbortSignal): Promise<void> {
  const variables = pythonVariables();
  const importPath = [join(packageRoot, "python"), variables["PYTHONPATH"]].filter((folders) => folders !== undefined).join(delimiter);
  const { exitCode, isCanceled } = await execa(interpreter, ["-m", "bh_bridge.ranks.node", String(nodes.rank)], {
    reject: false,
    stdin: "ignore",
    stdout: process.stderr,
    stderr: "inherit",
    env: { ...variables, ...allocator, ...nodesVariable(nodes), PYTHONPATH: importPath },
    ...(signal && { cancelSignal: signal }),
  });
  if (exitCode === 0) return;
  if (isCanceled) throw new BhBridgeError("ABORTED", `machine ${nodes.rank} of the training was stopped, and the training ends with it`);
  throw new BhBridgeError(
    "PEER_EXITED",
    `machine ${nodes.rank} of ${nodes.count} has left the training of ${nodes.host}:${nodes.port} (exit code ${exitCode}): why stands above, and on machine 0`,
  );
}
