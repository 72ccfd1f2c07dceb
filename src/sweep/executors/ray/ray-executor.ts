import { randomBytes } from "node:crypto";
import { corpusFiles } from "../../../config/corpus-files.js";
import type { UsablePython } from "../../../python/resolve-python.js";
import { repositoryState } from "../../../runs/git-state.js";
import { runPool } from "../../pool/run-pool.js";
import type { TrialTask } from "../../pool/trial-task.js";
import type { Executor, Machine, TrialJob } from "../executor.js";
import { jobEnvironment } from "./job-environment.js";
import { endEarlierJob, forgetJob, jobNotePath, noteJob } from "./job-note.js";
import { namedFiles } from "./named-files.js";
import { RayCluster } from "./ray-cluster.js";
import { RayJob } from "./ray-job.js";
import { RayWorker } from "./ray-worker.js";
import { type PackedFile, workerFiles } from "./worker-package.js";

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
    const { packed, files } = namedFiles(tasks.map(({ config }) => config));
    const environment = await this.#environment(tasks, packed, token, signal);
    const setup = { cores: null, gpu: null, sent: { files }, repository: await repositoryState() };
    const id = `bh-bridge-${randomBytes(8).toString("hex")}`;
    const probe = { path: jobNotePath(directory), text: noteJob(directory, this.#cluster.address, id) };
    await this.#cluster.submit(
      { entrypoint: "sh python/bh_bridge/on_ray/entry.sh job", submission_id: id, runtime_env: environment, metadata: { directory } },
      signal,
    );
    const needs = { cpus: Math.max(1, ...tasks.map(({ config }) => config.threads ?? 1)), gpus: usesGpu(tasks, machine) ? 1 : 0 };
    const seen = this.#options.storage === "sent" ? { path: "", text: "" } : probe;
    let started = 0;
    try {
      const job = await RayJob.reach(this.#cluster, id, token, signal);
      const startWorker = () => new RayWorker(job, `${started++}`, { ...needs, setup, probe: seen });
      await runPool(tasks, { workers, startWorker, listener, signal, failFast });
      await job.end();
      forgetJob(directory);
    } catch (error) {
      await endEarlierJob(directory);
      throw error;
    }
  }

  /** What the job finds on each node: the package, the texts by their hash, and what else is named by configurations. */
  async #environment(tasks: readonly TrialTask[], named: readonly PackedFile[], token: string, signal: AbortSignal): Promise<Record<string, unknown>> {
    const corpora = new Map(tasks.map(({ corpus, config }) => [corpus, config]));
    const texts = [...corpora].flatMap(([sha256, config]) => {
      const sent = corpusFiles(config, `corpora/${sha256}`);
      return corpusFiles(config).map(({ path }, place) => ({ path, name: sent[place]?.path ?? "" }));
    });
    const { hostname } = new URL(this.#cluster.address);
    const isLoopback = ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
    const variables = { BH_BRIDGE_CHANNEL_TOKEN: token, BH_BRIDGE_CHANNEL_HOST: isLoopback ? "127.0.0.1" : "node" };
    const content = { files: [...workerFiles(), ...texts, ...named], runtimeEnv: this.#options.runtimeEnv, variables };
    return jobEnvironment(this.#cluster, content, this.#python.path, signal);
  }
}

function usesGpu(tasks: readonly TrialTask[], { gpus }: Machine): boolean {
  return gpus > 0 && tasks.some(({ config: { device } }) => device === "auto" || device.startsWith("cuda"));
}
