import type { Command } from "commander";
import { BhBridgeError } from "../../errors.js";
import { nodesVariable, type TrainingNodes } from "../../python/launcher.js";
import { wholeNumber } from "../terminal/target.js";
import type { Terminal } from "../terminal/terminal.js";

/** Values of the options for several machines. */
export type NodeValues = { nnodes?: string | undefined; nodeRank?: string | undefined; rdzvEndpoint?: string | undefined; rdzvId?: string | undefined };

/** Add the options for a training on several machines, with the names of torchrun. */
export function addNodeOptions(command: Command): Command {
  return command
    .option("--nnodes <n>", "machines that share the training, with --nproc processes each (default: 1)")
    .option("--node-rank <n>", "index of this machine; 0 records (default: SLURM_NODEID)")
    .option("--rdzv-endpoint <host:port>", "address where machine 0 waits for the others")
    .option("--rdzv-id <text>", "identity of the training, equal on all machines (default: SLURM_JOB_ID)");
}

/** The machines that share this training; undefined for a single one. @throws {BhBridgeError} `USAGE`. */
export function nodesOf({ nnodes, nodeRank, rdzvEndpoint, rdzvId }: NodeValues, env: NodeJS.ProcessEnv = process.env): TrainingNodes | undefined {
  if (nnodes === undefined) {
    const [lost] = Object.entries({ "--node-rank": nodeRank, "--rdzv-endpoint": rdzvEndpoint, "--rdzv-id": rdzvId }).filter(([, value]) => value !== undefined);
    if (lost) throw new BhBridgeError("USAGE", `${lost[0]} is for training on several machines: set their number with --nnodes`);
    return undefined;
  }
  const count = wholeNumber("--nnodes", nnodes);
  if (count === 1) return undefined;
  const index = nodeRank ?? env["SLURM_NODEID"];
  if (index === undefined) throw new BhBridgeError("USAGE", `--nnodes ${count}: name this machine with --node-rank, from 0 to ${count - 1}`);
  const rank = wholeNumber("--node-rank", index, 0);
  if (rank >= count) throw new BhBridgeError("USAGE", `--node-rank ${rank}: expected 0 to ${count - 1} for ${count} machines`);
  const [, host, port] = /^\[?([\w.:-]+?)\]?:(\d{1,5})$/.exec(rdzvEndpoint ?? "") ?? [];
  if (host === undefined) throw new BhBridgeError("USAGE", `--nnodes ${count}: name the address of machine 0 with --rdzv-endpoint, for example node1:29500`);
  return { count, rank, host, port: Number(port), id: rdzvId ?? env["SLURM_JOB_ID"] ?? "bh-bridge" };
}

/**
 * Join a training on several machines: machine 0 trains and records, and its Python waits for the others; any other computes here until the training ends.
 * @returns whether this machine only computed, so that nothing is left to do.
 * @throws {BhBridgeError} `PEER_EXITED`, `ABORTED`, and as `resolvePython`.
 */
export async function takePlace(nodes: TrainingNodes, python: string | undefined, terminal: Terminal): Promise<boolean> {
  if (nodes.rank === 0) {
    Object.assign(process.env, nodesVariable(nodes));
    return false;
  }
  const { joinTraining } = await import("../../python/launcher.js");
  const { resolvePython } = await import("../../python/require-packages.js");
  const { stopOnSignal } = await import("../terminal/stop-on-signal.js");
  using stop = stopOnSignal(terminal, { stopping: () => "Leaving the training, which ends it for all machines" });
  const { path } = await resolvePython({ ...(python !== undefined && { python }) }, stop.signal);
  terminal.say(`Machine ${nodes.rank} of ${nodes.count}: computing with ${nodes.host}:${nodes.port}, which records`);
  await joinTraining(path, nodes, stop.signal);
  return true;
}
