import { readFileSync } from "node:fs";
import { temporaryFolder } from "../../../runner/temporary-folder.js";
import type { RayCluster } from "./ray-cluster.js";
import { type PackedFile, pack } from "./worker-package.js";

/** What a job finds on each node. */
export interface JobContent {
  files: readonly PackedFile[];
  /** What Ray makes there beside them: `pip`, `conda`, `env_vars`, … */
  runtimeEnv: Readonly<Record<string, unknown>> | undefined;
  /** Environment variables of our own. */
  variables?: Readonly<Record<string, string>>;
}

/**
 * Let a cluster have files, unless it has them already.
 *
 * @param interpreter packs them.
 * @returns the runtime environment of a job that finds them in its working folder.
 * @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`, `ABORTED`.
 */
export async function jobEnvironment(
  cluster: RayCluster,
  { files, runtimeEnv = {}, variables }: JobContent,
  interpreter: string,
  signal?: AbortSignal,
): Promise<Record<string, unknown>> {
  using folder = temporaryFolder("ray");
  const { path, sha256 } = await pack(files, folder.path, interpreter, signal);
  const name = `_ray_pkg_bh_bridge_${sha256.slice(0, 32)}.zip`;
  if (!(await cluster.hasPackage(name, signal))) await cluster.upload(name, readFileSync(path), signal);
  const given = (runtimeEnv["env_vars"] ?? {}) as Record<string, string>;
  return { ...runtimeEnv, working_dir: `gcs://${name}`, env_vars: { ...given, ...variables } };
}
