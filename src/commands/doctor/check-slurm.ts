import { BhBridgeError } from "../../errors.js";
import {
  lookAtTask,
  pingControllers,
  type SeenTask,
  type SlurmPartition,
  slurmAuthentication,
  slurmPartitions,
  slurmVersion,
} from "../../sweep/executors/slurm/look-at-slurm.js";
import { count } from "../../text/count.js";
import type { DoctorCheck } from "./doctor-document.js";

/** What is looked at, beside SLURM itself. */
interface LookedAt {
  /** The interpreter that would train. */
  python: string;
  /** Where the directory of a sweep would lie. */
  folder: string;
  /** Options of sbatch that the trials would have. */
  options: readonly string[];
}

/** One thing to find out; `fix` is for the case that SLURM itself refuses the answer. */
interface Question {
  name: string;
  expected: string;
  fix: string;
  ask(): Promise<Pick<DoctorCheck, "ok" | "found" | "fix">>;
}

/** The commands that trials need. */
const programs = ["sbatch", "squeue", "scontrol", "scancel", "sinfo", "srun"];

/** Whether trials can be trained by SLURM: its commands are here, it answers, knows who asks, has room, and its tasks see what they need. */
export async function checkSlurm(lookedAt: LookedAt): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  for (const question of questions(lookedAt)) {
    const check = await checkOf(question);
    checks.push(check);
    if (!check.ok) break; // what follows would fail for the same reason
  }
  return checks;
}

function questions({ python, folder, options }: LookedAt): Question[] {
  return [
    {
      name: "SLURM commands",
      expected: programs.join(", "),
      fix: "log in where SLURM is (on Debian: apt-get install slurm-client), or write the script alone with --emit-only and submit it there",
      async ask() {
        const versions = new Set(await Promise.all(programs.map(slurmVersion)));
        return { ok: true, found: [...versions].join(", "), fix: null };
      },
    },
    {
      name: "SLURM controller",
      expected: "an answer",
      fix: "start slurmctld on its machine (systemctl start slurmctld); where its configuration lies elsewhere, set SLURM_CONF",
      ask: async () => ({ ok: true, found: await pingControllers(), fix: null }),
    },
    {
      name: "SLURM credentials",
      expected: "the controller knows who asks",
      fix: "start munged here (systemctl start munge), with the key of the cluster (/etc/munge/munge.key) and a clock that is right",
      ask: async () => ({ ok: true, found: await slurmAuthentication(), fix: null }),
    },
    {
      name: "SLURM partitions",
      expected: "one that is up, with nodes",
      fix: "ask whoever keeps the cluster",
      ask: async () => ofPartitions(await slurmPartitions()),
    },
    {
      name: "SLURM tasks",
      expected: "Python, Node.js, this package and this folder where they lie here",
      fix: "give the options that jobs need here, as --sbatch-option partition=short or --sbatch-option account=NAME, or look again when a node is free",
      ask: async () => ofTask(await lookAtTask(python, folder, options)),
    },
  ];
}

async function checkOf({ name, expected, fix, ask }: Question): Promise<DoctorCheck> {
  try {
    return { name, expected, ...(await ask()) };
  } catch (error) {
    if (!(error instanceof BhBridgeError) || error.code !== "EXECUTOR_UNAVAILABLE") throw error;
    return { name, expected, fix, ok: false, found: error.message };
  }
}

function ofPartitions(partitions: readonly SlurmPartition[]): Awaited<ReturnType<Question["ask"]>> {
  const told = partitions.map(({ name, isDefault, isUp, nodes, limit }) => {
    const place = isUp ? count(nodes, "node") : "not up";
    return `${name}${isDefault ? " (the default)" : ""}: ${place}, ${limit === "infinite" ? "no limit of time" : `at most ${limit}`}`;
  });
  const ok = partitions.some(({ isUp, nodes }) => isUp && nodes > 0);
  const fix = "sinfo --list-reasons says why nodes are out of use; scontrol update NodeName=NODE State=RESUME brings one back";
  return { ok, found: told.join("; ") || null, fix: ok ? null : fix };
}

function ofTask({ node, missing, versions }: SeenTask): Awaited<ReturnType<Question["ask"]>> {
  if (missing.length === 0) return { ok: true, found: `${node}: ${versions.join(", Node.js ")}, the package and the folder`, fix: null };
  const fix = "put them where the nodes see them under the same path, as in a home directory; --python names another Python";
  return { ok: false, found: `${node} does not see ${missing.join(", ")}`, fix };
}
