import { randomBytes } from "node:crypto";
import { setTimeout as after } from "node:timers/promises";
import { z } from "zod";
import { BhBridgeError } from "../../../errors.js";
import { lastLines } from "../../../python/last-lines.js";
import { pythonPackages } from "../../../python/probe-python.js";
import { jobEnvironment } from "./job-environment.js";
import { hasJobEnded, type RayCluster } from "./ray-cluster.js";
import { pythonFiles } from "./worker-package.js";

const nodeSchema = z.strictObject({
  host: z.string(),
  python: z.string(),
  packages: z.record(z.enum(pythonPackages), z.string().nullable()),
  /** Version of Node.js, null where there is none. */
  node: z.string().nullable(),
});

/** What a node of a cluster has of what training needs. */
export type SeenNode = z.output<typeof nodeSchema>;

const mark = "bh-bridge-nodes ";
const lookAgainMs = 500;
const quotedLines = 5;

/**
 * Look at each node of a cluster with a short job, in the environment that the job of a sweep would have.
 *
 * @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` with the job's last words when it fails, as where the environment cannot be made.
 */
export async function lookAtNodes(
  cluster: RayCluster,
  interpreter: string,
  { runtimeEnv, signal }: { runtimeEnv: Readonly<Record<string, unknown>> | undefined; signal?: AbortSignal },
): Promise<SeenNode[]> {
  const environment = await jobEnvironment(cluster, { files: pythonFiles(), runtimeEnv }, interpreter, signal);
  const id = `bh-bridge-look-${randomBytes(8).toString("hex")}`;
  const submission = { entrypoint: "sh python/bh_bridge/on_ray/entry.sh look", submission_id: id, runtime_env: environment, metadata: {} };
  await cluster.submit(submission, signal);
  for (let state = await cluster.job(id); state && !hasJobEnded(state); state = await cluster.job(id)) await after(lookAgainMs, undefined, { signal });
  const logs = await cluster.logs(id);
  const line = logs.split("\n").find((each) => each.startsWith(mark));
  if (line !== undefined) return z.array(nodeSchema).parse(JSON.parse(line.slice(mark.length)));
  const { message } = (await cluster.job(id)) ?? {};
  throw new BhBridgeError("EXECUTOR_UNAVAILABLE", lastLines(`${message ?? ""}\n${logs}`, quotedLines).join(" / "));
}
