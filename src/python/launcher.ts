import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { BhBridgeError } from "../errors.js";
import { packageRoot } from "./package-manifest.js";
import { pythonVariables } from "./python-variables.js";

/**
 * Settings that make glibc reuse memory instead of mapping every large tensor again: 1 page fault per step of the notebook's model instead of 9,902, same
 * bits. glibc reads them once, when Python starts. Other C libraries ignore them.
 */
export const allocator: Readonly<Record<string, string>> = { MALLOC_MMAP_THRESHOLD_: "1000000000", MALLOC_TRIM_THRESHOLD_: "10000000000" };

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Write the program that pythonia starts instead of Python, and return its path.
 *
 * With pythonia, Python would inherit stdin, stdout and stderr: a print would corrupt `--json`, and a crash would leave no trace. The launcher redirects all
 * three, ignores SIGINT until Python has left the terminal's process group, sets the variables of `pythonVariables`, and becomes Python (same process id).
 * @param directory private folder for the launcher.
 * @param options `python`: interpreter to run. `log`: file for Python's stdout and stderr.
 */
export function writeLauncher(directory: string, options: { python: string; log: string }): string {
  const path = join(directory, "python");
  const environment = { ...pythonVariables(), ...allocator, PYTHONFAULTHANDLER: "1" };
  const lines = [
    "#!/bin/sh",
    "trap '' INT",
    ...Object.entries(environment).map(([name, value]) => (value === undefined ? `unset ${name}` : `export ${name}=${quote(value)}`)),
    // pythonia's script requires its own folder, which PYTHONSAFEPATH removes. The user's PYTHONPATH comes last, so that it cannot hide bh_bridge.
    `export PYTHONPATH=${quote(join(packageRoot, "python"))}:"\${1%/*}\${PYTHONPATH:+:$PYTHONPATH}"`,
    `exec ${quote(options.python)} "$@" </dev/null >>${quote(options.log)} 2>&1`,
  ];
  writeFileSync(path, `${lines.join("\n")}\n`);
  chmodSync(path, 0o700);
  return path;
}

/** The machines that share a training, from the view of one of them. */
export interface TrainingNodes {
  /** Number of machines. */
  count: number;
  /** Index of this machine; 0 records. */
  rank: number;
  /** Host of machine 0. */
  host: string;
  /** Port at which machine 0 waits. */
  port: number;
  /** Identifies the training; equal on all machines. */
  id: string;
}

/** The environment variable that passes the machines to Python. */
export function nodesVariable({ count, host, port, id }: TrainingNodes): Record<string, string> {
  return { BH_BRIDGE_NODES: JSON.stringify({ count, host, port, id }) };
}

/**
 * Compute this machine's share of a training that machine 0 records, until that training ends. Errors of Python are printed on stderr.
 * @throws {BhBridgeError} `PEER_EXITED` if Python fails; `ABORTED`.
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
  if (isCanceled) throw new BhBridgeError("ABORTED", `machine ${nodes.rank} of the training was stopped, which ends the training`);
  const machine = `machine ${nodes.rank} of ${nodes.count}`;
  throw new BhBridgeError(
    "PEER_EXITED",
    `${machine} has left the training of ${nodes.host}:${nodes.port} (exit code ${exitCode}). See the output above and on machine 0`,
  );
}
