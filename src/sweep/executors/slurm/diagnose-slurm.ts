import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { BhBridgeError } from "../../../errors.js";
import { count } from "../../../text/format.js";
import type { Diagnosed, Diagnosis } from "../executor.js";
import { sbatchOptions } from "./batch-script.js";
import { askSlurm } from "./slurm-commands.js";

type LookedAt = Diagnosed & { options: readonly string[] };

/** One check; `fix` applies when SLURM itself refuses the answer. */
interface Question {
  name: string;
  expected: string;
  fix: string;
  ask(): Promise<Finding>;
}
type Finding = Pick<Diagnosis, "ok" | "found" | "fix">;
const fine = (found: string): Finding => ({ ok: true, found, fix: null });

/** The commands that trials need. */
const programs = ["sbatch", "squeue", "scontrol", "scancel", "sinfo", "srun"];

/** Check that SLURM's commands are installed, that it answers, authenticates the user and has room, and that its tasks see what they need. */
export async function diagnoseSlurm(lookedAt: LookedAt): Promise<Diagnosis[]> {
  const checks: Diagnosis[] = [];
  for (const question of questions(lookedAt)) {
    checks.push(await checkOf(question));
    if (!checks.at(-1)?.ok) break; // later checks would fail for the same reason
  }
  return checks;
}

function questions({ python, folder, options }: LookedAt): Question[] {
  return [
    {
      name: "SLURM commands",
      expected: programs.join(", "),
      fix: "use a machine with SLURM (on Debian: apt-get install slurm-client), or write the script with --emit-only and submit it there",
      async ask() {
        const versions = await Promise.all(programs.map((program) => askSlurm(program, ["--version"])));
        return fine([...new Set(versions.map((text) => text.trim().replace(/^slurm(-wlm)? /, "")))].join(", "));
      },
    },
    {
      name: "SLURM controller",
      expected: "an answer",
      fix: "start slurmctld on its machine (systemctl start slurmctld), or set SLURM_CONF if its configuration is elsewhere",
      ask: async () => fine((await askSlurm("scontrol", ["ping"])).trim().split("\n").join("; ")),
    },
    {
      name: "SLURM credentials",
      expected: "the controller authenticates this user",
      fix: "start munged here (systemctl start munge), with the key of the cluster (/etc/munge/munge.key) and a correct clock",
      // The answer itself proves that authentication works.
      ask: async () => fine(/^AuthType\s*=\s*(\S+)/m.exec(await askSlurm("scontrol", ["show", "config"]))?.[1] ?? "unknown"),
    },
    {
      name: "SLURM partitions",
      expected: "a partition that is up and has nodes",
      fix: "ask the administrator of the cluster",
      ask: checkPartitions,
    },
    {
      name: "SLURM tasks",
      expected: "Python, Node.js, this package and this folder under the same paths as here",
      fix: "set the options that jobs need here, such as --sbatch-option partition=short or --sbatch-option account=NAME, or try again when a node is free",
      ask: () => checkTask(python, folder, options),
    },
  ];
}

async function checkOf({ name, expected, fix, ask }: Question): Promise<Diagnosis> {
  try {
    return { name, expected, ...(await ask()) };
  } catch (error) {
    if (!(error instanceof BhBridgeError) || error.code !== "EXECUTOR_UNAVAILABLE") throw error;
    return { name, expected, fix, ok: false, found: error.message };
  }
}

const script = fileURLToPath(new URL(`./array-worker${extname(import.meta.url)}`, import.meta.url));
/** How long a check waits for a free node. */
const immediateSeconds = 30;
const nodeStates = ["idle", "mixed", "allocated", "completing"];
const look = 'uname -n; for path in "$@"; do test -e "$path" || printf "missing %s\\n" "$path"; done; "$1" --version 2>&1; "$2" --version 2>&1; true';

/** The partitions visible to this user. */
async function checkPartitions(): Promise<Finding> {
  const partitions = new Map<string, { isDefault: boolean; isUp: boolean; nodes: number; limit: string }>();
  for (const line of (await askSlurm("sinfo", ["--noheader", "--format=%P|%a|%l|%D|%T"])).split("\n")) {
    const [label = "", available = "", limit = "", nodes = "", state = ""] = line.trim().split("|");
    if (label === "") continue;
    const name = label.replace(/\*$/, "");
    const known = partitions.get(name) ?? { isDefault: label.endsWith("*"), isUp: available === "up", nodes: 0, limit };
    if (nodeStates.includes(state)) known.nodes += Number(nodes); // neither down nor drained; a marked state (`idle*`) means that the node does not answer
    partitions.set(name, known);
  }
  const lines = [...partitions].map(([name, { isDefault, isUp, nodes, limit }]) => {
    return `${name}${isDefault ? " (the default)" : ""}: ${isUp ? count(nodes, "node") : "not up"}, ${limit === "infinite" ? "no time limit" : `at most ${limit}`}`;
  });
  const ok = [...partitions.values()].some(({ isUp, nodes }) => isUp && nodes > 0);
  const fix = "sinfo --list-reasons shows why nodes are unavailable; scontrol update NodeName=NODE State=RESUME brings one back";
  return { ok, found: lines.join("; ") || null, fix: ok ? null : fix };
}

/**
 * Run a one-second task on a node and check that it sees the interpreter, Node.js, this package and a folder under their local paths.
 * @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` with the output of srun, for example if no node is free within 30 seconds; `USAGE` for an invalid option.
 */
async function checkTask(python: string, folder: string, options: readonly string[]): Promise<Finding> {
  const given = sbatchOptions(options).map(([key, value]) => (value === undefined ? `--${key}` : `--${key}=${value}`));
  const paths = [python, process.execPath, script, folder];
  const limits = ["--quiet", "--ntasks=1", "--job-name=bh-look", `--immediate=${immediateSeconds}`, "--chdir=/"];
  const [node = "", ...lines] = (await askSlurm("srun", [...limits, ...given, "sh", "-c", look, "sh", ...paths])).trim().split("\n");
  const missing = lines.flatMap((line) => (line.startsWith("missing ") ? line.slice("missing ".length) : []));
  if (missing.length === 0) return fine(`${node}: ${lines.join(", Node.js ")}, the package and the folder`);
  const fix = "put them on storage that the nodes see under the same path, such as a home directory; --python selects another Python";
  return { ok: false, found: `${node} does not see ${missing.join(", ")}`, fix };
}
