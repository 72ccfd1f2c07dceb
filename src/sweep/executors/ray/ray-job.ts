import { randomUUID } from "node:crypto";
import { setTimeout as after } from "node:timers/promises";
import { z } from "zod";
import { BhBridgeError } from "../../../errors.js";
import { lastLines } from "../../../python/failures.js";
import type { Sent } from "../../pool/sent-files.js";
import type { WorkerReport, WorkerSetup } from "../../pool/worker-channel.js";
import { hasJobEnded, type RayCluster } from "./ray-cluster.js";
import { type RunChunk, receiveRun } from "./run-transfer.js";

/** Reports of a worker, and of the job about it. */
export type RayReport =
  | WorkerReport
  | { kind: "ready"; pid: number; host: string; shared: boolean }
  /** From a worker without shared storage: it has a new checkpoint. */
  | { kind: "saved" }
  | { kind: "gone"; reason: string }
  /** The job is lost, and its workers with it. */
  | { kind: "lost"; reason: string };

export interface RayWorkerSpec {
  cpus: number;
  gpus: number;
  setup: Omit<WorkerSetup, "python" | "sent"> & { sent: Pick<Sent, "files"> };
  /** A file in the directory of the sweep and its content, to detect shared storage. */
  probe: { path: string; text: string };
}

const channelSchema = z.strictObject({ host: z.string(), port: z.int() });
/** This package makes the reports on the other side, so only their outer shape is checked. */
const reportsSchema = z.array(z.tuple([z.int(), z.strictObject({ worker: z.string(), report: z.custom<RayReport>((value) => typeof value === "object") })]));

interface RayJobOptions {
  /** Aborted when the user wants to stop; then nothing waits for an unresponsive job. */
  signal: AbortSignal;
  /** Called for each answer of the job. */
  onContact(): void;
  /** How long the job may not answer before it counts as lost, in milliseconds (default: 45 s). */
  patience?: number | undefined;
}

/** Status of a job that ends because its controller was silent. */
const statusOfEnding = 410;
const channelMark = "bh-bridge-channel ";
const pollMs = 500;
/** The job and the cluster answer within two seconds. */
const answerMs = 10_000;
/** The job executes an order before it answers; ending a worker takes longest. */
const obeyMs = 30_000;
/** Longest network outage before the job counts as lost; the job waits longer for its controller. */
const patienceMs = 45_000;
const stopPatienceMs = 5000;
/** Time for a job to end, with all workers. */
const endMs = 60_000;
const retryMs = 1000;
/** Attempts for a request that fails while the job answers others. */
const maxTries = 3;
const quotedLines = 12;

/** The running job of a sweep on a cluster: sends orders to its workers and receives their reports. */
export class RayJob {
  readonly id: string;
  readonly #cluster: RayCluster;
  readonly #channel: string;
  readonly #token: string;
  readonly #options: RayJobOptions;
  readonly #listeners = new Map<string, (report: RayReport) => void>();
  readonly #lost = new AbortController();
  /** Aborted when listening ends: the job is lost or about to end. */
  readonly #silent = new AbortController();
  #waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  #listening: Promise<void> | undefined;

  private constructor(cluster: RayCluster, id: string, channel: string, token: string, options: RayJobOptions) {
    this.#cluster = cluster;
    this.id = id;
    this.#channel = channel;
    this.#token = token;
    this.#options = options;
  }

  /**
   * Wait until a submitted job can be reached.
   * @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` with its last lines when it ends first or its port is closed, `ABORTED`.
   */
  static async reach(cluster: RayCluster, id: string, token: string, options: RayJobOptions): Promise<RayJob> {
    const { host, port } = await channelOf(cluster, id, options.signal);
    const hosts = [...new Set([new URL(cluster.address).hostname, host])];
    for (const each of hosts) {
      const job = new RayJob(cluster, id, `http://${each}:${port}`, token, options);
      if (await job.#answers()) {
        job.#listening = job.#listen();
        return job;
      }
    }
    throw new BhBridgeError(
      "EXECUTOR_UNAVAILABLE",
      `the job ${id} runs, but its control port ${port} of ${hosts.join(" or ")} cannot be reached from here: open it, or forward it like that of the dashboard, for example with ssh -L ${port}:${host}:${port}`,
    );
  }

  /** Aborted when the job has ended by itself or stopped answering. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Why it was lost, if it was. */
  get loss(): BhBridgeError | undefined {
    return this.#lost.signal.reason as BhBridgeError | undefined;
  }

  /** Start a worker; its reports go to the listener, in order. */
  async start(worker: string, spec: RayWorkerSpec, listener: (report: RayReport) => void): Promise<void> {
    this.#listeners.set(worker, listener);
    await this.#post(`start/${worker}`, JSON.stringify(spec));
  }

  async order(worker: string, order: object): Promise<void> {
    await this.#post(`order/${worker}`, JSON.stringify(order));
  }

  async close(worker: string): Promise<void> {
    this.#listeners.delete(worker);
    await this.#post(`close/${worker}`, "").catch(() => undefined); // a lost job has no workers
  }

  /** Fetch a run in its current state. */
  async fetchRun(worker: string, name: string, directory: string): Promise<void> {
    await this.#again(async () => {
      const answer = await fetch(`${this.#channel}/run/${worker}/${encodeURIComponent(name)}`, { headers: this.#headers, signal: this.#silent.signal });
      if (!answer.ok || !answer.body) throw new BhBridgeError("IO_FAILED", `${name} could not be fetched from the cluster (${answer.status})`);
      await receiveRun(answer.body, directory);
    });
  }

  /** Send a chunk of a run that a worker will resume. */
  async sendChunk(worker: string, name: string, { data, ...head }: RunChunk): Promise<void> {
    await this.#post(`chunk/${worker}`, Buffer.concat([Buffer.from(`${JSON.stringify({ name, ...head })}\n`), data]));
  }

  /** Let a worker delete a fetched run. */
  async forgetRun(worker: string, name: string): Promise<void> {
    await this.#post(`forget/${worker}`, JSON.stringify({ name }));
  }

  /** End the job and wait until its processes have ended, unless the cluster is gone. @returns whether they have ended. */
  async end(): Promise<boolean> {
    const { signal } = this.#options;
    const began = performance.now();
    await this.#send("end", "", randomUUID(), AbortSignal.timeout(answerMs)).catch(() => undefined); // it has ended
    this.#leave(new BhBridgeError("EXECUTOR_UNAVAILABLE", `the job ${this.id} is ending`));
    await this.#listening;
    for (let abortedAt: number | undefined; ; ) {
      const state = await this.#cluster.job(this.id, AbortSignal.timeout(answerMs)).catch(() => "unknown" as const);
      if (state !== "unknown" && (state === undefined || hasJobEnded(state))) return true;
      const now = performance.now();
      if (signal.aborted) abortedAt ??= now;
      if (now - began > endMs || (abortedAt !== undefined && now - abortedAt > (state === "unknown" ? stopPatienceMs : endMs / 3))) return false;
      await after(pollMs);
    }
  }

  /** Poll for reports. The requests also tell the job that its controller is alive. */
  async #listen(): Promise<void> {
    let heard = 0;
    let failingSince: number | undefined; // counts from the first failed request, because this machine may have been asleep
    while (!this.#silent.signal.aborted) {
      try {
        const answer = await this.#get(`reports?after=${heard}`);
        const reports = reportsSchema.parse(await answer.json());
        failingSince = undefined;
        this.#options.onContact();
        for (const { resolve } of this.#waiting.splice(0)) resolve();
        for (const [number, { worker, report }] of reports) {
          heard = number;
          this.#listeners.get(worker)?.(report);
        }
      } catch {
        if (this.#silent.signal.aborted) return;
        failingSince ??= performance.now();
        if (await this.#isOver(failingSince)) return this.#lose(await endedEarly(this.#cluster, this.id));
        await after(retryMs);
      }
    }
  }

  /** Whether an unresponsive job counts as lost: it has ended, or has not answered for too long. */
  async #isOver(failingSince: number): Promise<boolean> {
    const { signal, patience = patienceMs } = this.#options;
    const state = await this.#cluster.job(this.id, AbortSignal.timeout(answerMs)).catch(() => "unknown" as const);
    if (state === undefined || (state !== "unknown" && hasJobEnded(state))) return true;
    return performance.now() - failingSince > (signal.aborted ? stopPatienceMs : patience);
  }

  #lose(error: BhBridgeError): void {
    if (this.#silent.signal.aborted) return;
    this.#lost.abort(error);
    this.#leave(error);
    for (const listener of this.#listeners.values()) listener({ kind: "lost", reason: error.message });
  }

  #leave(error: BhBridgeError): void {
    this.#silent.abort(error);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  async #answers(): Promise<boolean> {
    try {
      return (await this.#get("reports?after=0")).ok;
    } catch {
      return false;
    }
  }

  async #get(path: string): Promise<Response> {
    const signal = AbortSignal.any([this.#silent.signal, AbortSignal.timeout(answerMs)]);
    const answer = await fetch(`${this.#channel}/${path}`, { headers: this.#headers, signal });
    if (!answer.ok) throw new BhBridgeError("EXECUTOR_UNAVAILABLE", `the job ${this.id} answered ${answer.status}`);
    return answer;
  }

  async #post(path: string, body: string | Uint8Array<ArrayBuffer>): Promise<void> {
    const request = randomUUID(); // the job ignores a repeated request id
    await this.#again(() => this.#send(path, body, request, AbortSignal.any([this.#silent.signal, AbortSignal.timeout(obeyMs)])));
  }

  async #send(path: string, body: string | Uint8Array<ArrayBuffer>, request: string, signal: AbortSignal): Promise<void> {
    const answer = await fetch(`${this.#channel}/${path}`, { method: "POST", headers: { ...this.#headers, "X-Request": request }, body, signal });
    const output = await answer.text();
    if (answer.ok) return;
    const error = new BhBridgeError("EXECUTOR_UNAVAILABLE", `the job ${this.id} answered ${answer.status}: ${output}`);
    if (answer.status === statusOfEnding) this.#lose(error);
    throw error;
  }

  /** Retry when the connection broke and the job answers again. @throws the job's loss. */
  async #again(task: () => Promise<void>): Promise<void> {
    for (let tries = 1; ; tries++) {
      this.#silent.signal.throwIfAborted();
      try {
        return await task();
      } catch (error) {
        if (error instanceof BhBridgeError && error.code === "EXECUTOR_UNAVAILABLE") throw error; // it has answered
        if (tries === maxTries) throw error;
        await this.#nextAnswer();
      }
    }
  }

  #nextAnswer(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#silent.signal.aborted) reject(this.#silent.signal.reason as Error);
      else this.#waiting.push({ resolve, reject });
    });
  }

  get #headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.#token}` };
  }
}

/** The address that a job prints. Ray takes seconds to start a job, and longer to create its environment. */
async function channelOf(cluster: RayCluster, id: string, signal: AbortSignal): Promise<z.output<typeof channelSchema>> {
  for (;;) {
    if (signal.aborted) throw new BhBridgeError("ABORTED", "starting the job on the Ray cluster was cancelled");
    const state = await cluster.job(id);
    const logs = await cluster.logs(id).catch(() => ""); // it has none before it starts
    const line = logs.split("\n").find((each) => each.startsWith(channelMark));
    if (line !== undefined) return channelSchema.parse(JSON.parse(line.slice(channelMark.length)));
    if (!state || hasJobEnded(state)) throw await endedEarly(cluster, id);
    await after(pollMs);
  }
}

async function endedEarly(cluster: RayCluster, id: string): Promise<BhBridgeError> {
  const signal = AbortSignal.timeout(answerMs);
  const [state, logs] = await Promise.all([cluster.job(id, signal).catch(() => undefined), cluster.logs(id, signal).catch(() => "")]);
  const output = lastLines(logs, quotedLines);
  const how = state === undefined ? "can no longer be reached" : `is ${state.status}: ${state.message ?? ""}`;
  return new BhBridgeError("EXECUTOR_UNAVAILABLE", [`the job ${id} at ${cluster.address} ${how}`, ...output].join("\n"));
}
