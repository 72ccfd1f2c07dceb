import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { corpusPath } from "../../../config/corpus-path.js";
import type { UsablePython } from "../../../python/resolve-python.js";
import { temporaryFolder } from "../../../runner/temporary-folder.js";
import { runPool } from "../../pool/run-pool.js";
import type { TrialTask } from "../../pool/trial-task.js";
import type { Executor, Machine, TrialJob } from "../executor.js";
import { endEarlierJob, forgetJob, jobNotePath, noteJob } from "./job-note.js";
import { RayCluster } from "./ray-cluster.js";
import { RayJob } from "./ray-job.js";
import { RayWorker } from "./ray-worker.js";
import { pack, workerFiles } from "./worker-package.js";

/** How trials are trained on a Ray cluster. */
export interface RayOptions {
  /** That of the dashboard. */
  address: string;
  /** What Ray makes for the job on each node, beside the package: `pip`, `conda`, `env_vars`, … */
  runtimeEnv?: Readonly<Record<string, unknown>> | undefined;
  /** Whether the nodes may write into the directory where they see it; they are looked at where nothing is said. */
  storage?: "seen" | "sent";
}

/** Trains on a running Ray cluster: one job holds the workers, this process hands them the trials. */
export class RayExecutor implements Executor {
  readonly name = "ray";
  readonly isHere = false;
  readonly #cluster: RayCluster;
  readonly #python: UsablePython;
  readonly #options: RayOptions;

  /** @param python packs what travels. */
  constructor(python: UsablePython, options: RayOptions) {
    this.#cluster = new RayCluster(options.address);
    this.#python = python;
    this.#options = options;
  }

  async machine(_onCpuAlone: boolean, signal?: AbortSignal): Promise<Machine> {
    const nodes = await this.#cluster.nodes(signal);
    const total = (of: "cpus" | "gpus") => Math.floor(nodes.reduce((sum, node) => sum + node[of], 0));
    const gpus = total("gpus");
    return { device: gpus > 0 ? "cuda" : "cpu", gpus, cores: Math.max(1, gpus > 0 && !_onCpuAlone ? gpus : total("cpus")) };
  }

  async train({ directory, tasks, machine, workers, listener, signal, failFast }: TrialJob): Promise<void> {
    if (tasks.length === 0 || signal.aborted) return;
    const token = randomBytes(24).toString("hex");
    const uri = await this.#send(tasks, signal);
    const id = `bh-bridge-${randomBytes(8).toString("hex")}`;
    const probe = { path: jobNotePath(directory), text: noteJob(directory, this.#cluster.address, id) };
    await this.#cluster.submit(
      { entrypoint: "sh python/bh_bridge/ray_entry.sh", submission_id: id, runtime_env: this.#environment(uri, token), metadata: { directory } },
      signal,
    );
    const needs = { cpus: Math.max(1, ...tasks.map(({ config }) => config.threads ?? 1)), gpus: usesGpu(tasks, machine) ? 1 : 0 };
    const seen = this.#options.storage === "sent" ? { path: "", text: "" } : probe;
    let started = 0;
    try {
      const job = await RayJob.reach(this.#cluster, id, token, signal);
      const startWorker = () => new RayWorker(job, `${started++}`, { ...needs, setup: { cores: null, gpu: null }, probe: seen });
      await runPool(tasks, { workers, startWorker, listener, signal, failFast });
      await job.end();
      forgetJob(directory);
    } catch (error) {
      await endEarlierJob(directory);
      throw error;
    }
  }

  /** Let the cluster have the package and the texts, unless it has them. @returns where the nodes find them. */
  async #send(tasks: readonly TrialTask[], signal: AbortSignal): Promise<string> {
    using folder = temporaryFolder("ray");
    const texts = [...new Map(tasks.map(({ corpus, config }) => [corpus, corpusPath(config)]))].map(([sha256, path]) => ({ path, name: `corpora/${sha256}` }));
    const { path, sha256 } = await pack([...workerFiles(), ...texts], folder.path, this.#python.path, signal);
    const name = `_ray_pkg_bh_bridge_${sha256.slice(0, 32)}.zip`;
    if (!(await this.#cluster.hasPackage(name, signal))) await this.#cluster.upload(name, readFileSync(path), signal);
    return `gcs://${name}`;
  }

  #environment(uri: string, token: string): Record<string, unknown> {
    const { runtimeEnv = {} } = this.#options;
    const { hostname } = new URL(this.#cluster.address);
    const isLoopback = ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
    const given = (runtimeEnv["env_vars"] ?? {}) as Record<string, string>;
    const variables = { ...given, BH_BRIDGE_CHANNEL_TOKEN: token, BH_BRIDGE_CHANNEL_HOST: isLoopback ? "127.0.0.1" : "node" };
    return { ...runtimeEnv, working_dir: uri, env_vars: variables };
  }
}

function usesGpu(tasks: readonly TrialTask[], { gpus }: Machine): boolean {
  return gpus > 0 && tasks.some(({ config: { device } }) => device === "auto" || device.startsWith("cuda"));
}
