import type { Command } from "commander";
import { BhBridgeError } from "../../errors.js";
import { nodesVariable, type TrainingNodes } from "../../python/launcher.js";
import type { Terminal } from "../terminal/terminal.js";

/** How a training is shared between machines, as commander gives it. */
export interface NodeValues {
  nnodes?: string | undefined;
  nodeRank?: string | undefined;
  rdzvEndpoint?: string | undefined;
  rdzvId?: string | undefined;
}

/** Add the options of a training on several machines; they are called as torchrun's. */
export function addNodeOptions(command: Command): Command {
  return command
    .option("--nnodes <n>", "machines that share the training, each with --nproc processes: the same command on each")
    .option("--node-rank <n>", "which of them this is, from 0, which records; SLURM_NODEID when left out")
    .option("--rdzv-endpoint <host:port>", "of --nnodes: where machine 0 waits for the others")
    .option("--rdzv-id <text>", "of --nnodes: tells this training from others, the same on each machine; SLURM_JOB_ID when left out");
}

const usualId = "bh-bridge";

/** The machines that share this training; undefined for one alone. @throws {BhBridgeError} `USAGE`. */
export function nodesOf({ nnodes, nodeRank, rdzvEndpoint, rdzvId }: NodeValues, env: NodeJS.ProcessEnv = process.env): TrainingNodes | undefined {
  if (nnodes === undefined) {
    const [lost] = Object.entries({ "--node-rank": nodeRank, "--rdzv-endpoint": rdzvEndpoint, "--rdzv-id": rdzvId }).filter(([, value]) => value !== undefined);
    if (lost) throw new BhBridgeError("USAGE", `${lost[0]} is for a training of several machines: say how many with --nnodes`);
    return undefined;
  }
  const count = wholeNumber("--nnodes", nnodes, 1);
  if (count === 1) return undefined;
  const place = nodeRank ?? env["SLURM_NODEID"];
  if (place === undefined) throw new BhBridgeError("USAGE", `--nnodes ${count}: say which machine this is with --node-rank, from 0 to ${count - 1}`);
  const rank = wholeNumber("--node-rank", place, 0);
  if (rank >= count) throw new BhBridgeError("USAGE", `--node-rank ${rank}: the ${count} machines are 0 to ${count - 1}`);
  const [, host, port] = /^\[?([\w.:-]+?)\]?:(\d{1,5})$/.exec(rdzvEndpoint ?? "") ?? [];
  if (host === undefined) {
    throw new BhBridgeError("USAGE", `--nnodes ${count}: say where machine 0 waits with --rdzv-endpoint HOST:PORT, for example node1:29500`);
  }
  return { count, rank, host, port: Number(port), id: rdzvId ?? env["SLURM_JOB_ID"] ?? usualId };
}

/**
 * Take this machine's place in a training: machine 0 goes on as any training does, and its Python is told of the others; any other computes here until the
 * training has ended.
 *
 * @returns whether the training was another machine's, so that nothing is left to do here.
 * @throws {BhBridgeError} `PEER_EXITED`, `ABORTED`, and as `resolvePython`.
 */
export async function takePlace(nodes: TrainingNodes, python: string | undefined, terminal: Terminal): Promise<boolean> {
  if (nodes.rank === 0) {
    Object.assign(process.env, nodesVariable(nodes));
    return false;
  }
  const [{ joinTraining }, { resolvePython }, { stopOnSignal }] = await Promise.all([
    import("../../python/launcher.js"),
    import("../../python/require-packages.js"),
    import("../terminal/stop-on-signal.js"),
  ]);
  using stop = stopOnSignal(terminal, { stopping: () => "Leaving the training, which ends it" });
  const { path } = await resolvePython({ ...(python !== undefined && { python }) }, stop.signal);
  terminal.say(`Machine ${nodes.rank} of ${nodes.count}: computing with ${nodes.host}:${nodes.port}, which records`);
  await joinTraining(path, nodes, stop.signal);
  return true;
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw new BhBridgeError("USAGE", `${option} takes a whole number from ${least} on, not "${text}"`);
  return value;
}
