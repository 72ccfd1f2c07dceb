import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { BhBridgeError } from "../errors.js";
import { packageRoot } from "./package-manifest.js";
import { pythonVariables } from "./python-variables.js";

interface LauncherOptions {
  /** The interpreter to run. */
  python: string;
  /** Where Python's stdout and stderr go, from its first byte on. */
  log: string;
}

/**
 * glibc maps and unmaps every large tensor anew, 9,902 page faults a step on the seed's model; with these it keeps its memory: 1 fault a step, same bits. They
 * are read once, before Python's first line runs. Other C libraries ignore them.
 */
export const allocator: Readonly<Record<string, string>> = { MALLOC_MMAP_THRESHOLD_: "1000000000", MALLOC_TRIM_THRESHOLD_: "10000000000" };

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Write the program that pythonia starts in place of Python, and return its path.
 *
 * Pythonia lets its child inherit stdin, stdout and stderr: a print would corrupt `--json`, and a crash of the interpreter would leave no trace. The launcher
 * redirects all three before it becomes Python (same process id), ignores SIGINT until Python has left the terminal's process group, and sets an environment
 * that Node itself never has (see `pythonVariables`).
 * @param directory a private folder; the launcher lives and goes with it.
 */
export function writeLauncher(directory: string, options: LauncherOptions): string {
  const path = join(directory, "python");
  const environment = { ...pythonVariables(), ...allocator, PYTHONFAULTHANDLER: "1" };
  const lines = [
    "#!/bin/sh",
    "trap '' INT",
    ...Object.entries(environment).map(([name, value]) => (value === undefined ? `unset ${name}` : `export ${name}=${quote(value)}`)),
    // The folder of pythonia's script is named, as PYTHONSAFEPATH keeps it out. The user's own PYTHONPATH follows: a package of theirs must not hide ours.
    `export PYTHONPATH=${quote(join(packageRoot, "python"))}:"\${1%/*}\${PYTHONPATH:+:$PYTHONPATH}"`,
    `exec ${quote(options.python)} "$@" </dev/null >>${quote(options.log)} 2>&1`,
  ];
  writeFileSync(path, `${lines.join("\n")}\n`);
  chmodSync(path, 0o700);
  return path;
}

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
