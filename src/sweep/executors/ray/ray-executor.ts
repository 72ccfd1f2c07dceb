import { randomBytes } from "node:crypto";
import { preparedText } from "../../../bridge/prepared-text.js";
import { corpusFiles } from "../../../config/paths-in-config.js";
import { BhBridgeError } from "../../../errors.js";
import type { UsablePython } from "../../../python/require-packages.js";
import { repositoryState } from "../../../runs/git-state.js";
import { runPool } from "../../pool/run-pool.js";
import type { TrialTask } from "../../pool/trial-task.js";
import type { Executor, JobListener, Machine, TrialJob } from "../executor.js";
import { endEarlierJob, forgetJob, jobNotePath, noteContact, noteJob } from "./job-note.js";
import { RayCluster } from "./ray-cluster.js";
import { RayJob } from "./ray-job.js";
import { RayWorker } from "./ray-worker.js";
import { jobEnvironment, namedFiles, type PackedFile, workerFiles } from "./worker-package.js";

/** Options of a Ray cluster. */
export interface RayChoice {
  /** Address of the cluster's dashboard. Default: RAY_API_SERVER_ADDRESS, RAY_ADDRESS or http://127.0.0.1:8265. */
  address?: string | undefined;
  /** Ray's `runtime_env` for the job on each node: `pip`, `conda`, `env_vars`, … */
  runtimeEnv?: Readonly<Record<string, unknown>> | undefined;
}

/** How to train on a Ray cluster. */
export interface RayOptions extends RayChoice {
  address: string;
  /** Whether the nodes write directly into the directory (default: detected). */
  storage?: "seen" | "sent";
  /** How long the job may not answer, and the cluster after a lost job, in milliseconds (default: 45 s, and 120 s for the cluster). */
  patience?: number;
}

/** A lost job is submitted again until this many are lost in a row without ending a trial. */
const maxLosses = 5;
/** A job that lasted this long starts the count of losses again. */
const longMs = 600_000;
/** A restarted head node answers again within a minute or two. */
const clusterPatienceMs = 120_000;
/** Interval between recorded contacts. */
const contactMs = 15_000;

/** Trains on a running Ray cluster: one job holds the workers, and this process hands them the trials. */
export class RayExecutor implements Executor {
  readonly name = "ray";
  readonly isHere = false;
  readonly trainsAlone = true;
  readonly #cluster: RayCluster;
  readonly #python: UsablePython;
  readonly #options: RayOptions;

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

  async train(job: TrialJob): Promise<void> {
    const { signal, failFast } = job;
    const ended = new Set<string>();
    let hasFailed = false;
    const listener: JobListener = {
      onStart: (...start) => job.listener.onStart(...start),
      onStep: (...step) => job.listener.onStep(...step),
      onEnd(task, end) {
        if (end.kind === "completed" || end.kind === "pruned" || end.kind === "failed") ended.add(task.trial);
        hasFailed ||= end.kind === "failed";
        job.listener.onEnd(task, end);
      },
    };
    let losses = 0;
    for (let left = job.tasks; left.length > 0 && !signal.aborted && !(failFast && hasFailed); left = left.filter(({ trial }) => !ended.has(trial))) {
      const [began, before] = [performance.now(), ended.size];
      const loss = await this.#trainInOneJob({ ...job, tasks: left, listener });
      if (loss === undefined) return;
      losses = ended.size > before || performance.now() - began > longMs ? 1 : losses + 1;
      if (losses >= maxLosses) throw unavailable(`${losses} jobs were lost in a row; the last one: ${loss.message}`, loss);
      await this.#endLost(job.directory, signal);
    }
  }

  /** Train in one job. @returns why the job was lost; undefined if it was not. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`, `ABORTED`. */
  async #trainInOneJob({ directory, tasks, machine, workers, listener, signal, failFast, demand }: TrialJob): Promise<BhBridgeError | undefined> {
    const token = randomBytes(24).toString("hex");
    const { packed, files } = namedFiles(tasks.map(({ config }) => config));
    const environment = await this.#environment(tasks, packed, token, signal);
    const setup = { cores: null, gpu: null, sent: { files }, repository: await repositoryState() };
    const id = `bh-bridge-${randomBytes(8).toString("hex")}`;
    const probe = { path: jobNotePath(directory), text: noteJob(directory, this.#cluster.address, id) };
    const submission = { entrypoint: "sh python/bh_bridge/on_ray/entry.sh job", submission_id: id, runtime_env: environment, metadata: { directory } };
    const needs = { cpus: Math.max(1, ...tasks.map(({ config }) => config.threads ?? 1)), gpus: usesGpu(tasks, machine) ? 1 : 0 };
    const seen = this.#options.storage === "sent" ? { path: "", text: "" } : probe;
    let started = 0;
    try {
      await this.#cluster.submit(submission, signal);
      const job = await RayJob.reach(this.#cluster, id, token, { signal, onContact: contactOf(directory), patience: this.#options.patience });
      const startWorker = () => new RayWorker(job, `${started++}`, { ...needs, setup, probe: seen });
      await runPool(tasks, { workers, startWorker, listener, signal: AbortSignal.any([signal, job.lost]), failFast, demand });
      if (job.loss === undefined && (await job.end())) forgetJob(directory);
      return job.loss;
    } catch (error) {
      await endEarlierJob(directory).catch(() => undefined); // the note stays; the first error matters more
      throw error;
    }
  }

  /** Ensure that a lost job writes no more, so that another may. */
  async #endLost(directory: string, signal: AbortSignal): Promise<void> {
    try {
      await endEarlierJob(directory, { patienceMs: this.#options.patience ?? clusterPatienceMs, signal });
    } catch (error) {
      if (signal.aborted) return;
      throw unavailable(error instanceof Error ? error.message : String(error), error);
    }
  }

  /** The files and variables of the job on each node: package, texts by hash, and other files that configurations name. */
  async #environment(tasks: readonly TrialTask[], named: readonly PackedFile[], token: string, signal: AbortSignal): Promise<Record<string, unknown>> {
    const corpora = new Map(tasks.map(({ corpus, config }) => [corpus, config]));
    const texts = [...corpora].flatMap(([sha256, config]) => {
      const sent = corpusFiles(config, `corpora/${sha256}`);
      return corpusFiles(config).map(async ({ path }, index) => ({ path: await preparedText(path, config.data.field, signal), name: sent[index]?.path ?? "" }));
    });
    const { hostname } = new URL(this.#cluster.address);
    const isLoopback = ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
    const variables = { BH_BRIDGE_CHANNEL_TOKEN: token, BH_BRIDGE_CHANNEL_HOST: isLoopback ? "127.0.0.1" : "node" };
    const content = { files: [...workerFiles(), ...(await Promise.all(texts)), ...named], runtimeEnv: this.#options.runtimeEnv, variables };
    return jobEnvironment(this.#cluster, content, this.#python.path, signal);
  }
}

function usesGpu(tasks: readonly TrialTask[], { gpus }: Machine): boolean {
  return gpus > 0 && tasks.some(({ config: { device } }) => device === "auto" || device.startsWith("cuda"));
}

function contactOf(directory: string): () => void {
  let notedAt = 0;
  return () => {
    if (performance.now() - notedAt < contactMs) return;
    notedAt = performance.now();
    noteContact(directory);
  };
}

function unavailable(what: string, cause: unknown): BhBridgeError {
  return new BhBridgeError("EXECUTOR_UNAVAILABLE", `${what}\nNo trial has failed because of this: run the same command again when the cluster works`, {
    cause,
  });
}
