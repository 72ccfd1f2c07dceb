import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { sbatchOptions } from "./sbatch-options.js";
import { askSlurm } from "./slurm-commands.js";

/** A partition as SLURM tells of it. */
export interface SlurmPartition {
  name: string;
  isDefault: boolean;
  isUp: boolean;
  /** Nodes that take jobs: neither down nor drained. */
  nodes: number;
  /** The longest that a job may take, in SLURM's own words. */
  limit: string;
}

/** What a task on a node finds of what an array task needs. */
export interface SeenTask {
  node: string;
  /** What is not there, by its path. */
  missing: string[];
  /** What Python and Node.js say of their versions there. */
  versions: string[];
}

const script = fileURLToPath(new URL(`./array-worker${extname(import.meta.url)}`, import.meta.url));
/** So long a look waits for a node that is free. */
const immediateSeconds = 30;
const nodeStates = ["idle", "mixed", "allocated", "completing"];
const look = 'uname -n; for path in "$@"; do test -e "$path" || printf "missing %s\\n" "$path"; done; "$1" --version 2>&1; "$2" --version 2>&1; true';

/** The version that a command of SLURM tells. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` where it is not there. */
export async function slurmVersion(program: string): Promise<string> {
  return (await askSlurm(program, ["--version"])).trim().replace(/^slurm(-wlm)? /, "");
}

/** What the controllers say; the line of each. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` where none is up. */
export async function pingControllers(): Promise<string> {
  return (await askSlurm("scontrol", ["ping"])).trim().split("\n").join("; ");
}

/** How a request proves who asks, as `auth/munge`: the answer itself shows that the proof was taken. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
export async function slurmAuthentication(): Promise<string> {
  const said = await askSlurm("scontrol", ["show", "config"]);
  return /^AuthType\s*=\s*(\S+)/m.exec(said)?.[1] ?? "unknown";
}

/** The partitions that this user sees. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
export async function slurmPartitions(): Promise<SlurmPartition[]> {
  const said = await askSlurm("sinfo", ["--noheader", "--format=%P|%a|%l|%D|%T"]);
  const partitions = new Map<string, SlurmPartition>();
  for (const line of said.split("\n")) {
    const [label = "", available = "", limit = "", count = "", state = ""] = line.trim().split("|");
    if (label === "") continue;
    const name = label.replace(/\*$/, "");
    const known = partitions.get(name) ?? { name, isDefault: label.endsWith("*"), isUp: available === "up", nodes: 0, limit };
    if (nodeStates.includes(state)) known.nodes += Number(count); // a state with a mark (`idle*`) is of a node that does not answer
    partitions.set(name, known);
  }
  return [...partitions.values()];
}

/**
 * Run a task of a second on a node, and see whether it finds the interpreter, Node.js, this package and a folder where they lie here.
 *
 * @param options of sbatch, as the trials will have them.
 * @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` with what srun said, as where no node is free within half a minute; `USAGE` for an option.
 */
export async function lookAtTask(python: string, folder: string, options: readonly string[]): Promise<SeenTask> {
  const given = sbatchOptions(options).map(([key, value]) => (value === undefined ? `--${key}` : `--${key}=${value}`));
  const paths = [python, process.execPath, script, folder];
  const limits = ["--quiet", "--ntasks=1", "--job-name=bh-look", `--immediate=${immediateSeconds}`, "--chdir=/"];
  const said = await askSlurm("srun", [...limits, ...given, "sh", "-c", look, "sh", ...paths]);
  const [node = "", ...lines] = said.trim().split("\n");
  const missing = lines.flatMap((line) => (line.startsWith("missing ") ? line.slice("missing ".length) : []));
  return { node, missing, versions: missing.length > 0 ? [] : lines };
}
