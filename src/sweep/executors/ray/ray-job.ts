import { setTimeout as after } from "node:timers/promises";
import { z } from "zod";
import { BhBridgeError } from "../../../errors.js";
import { lastLines } from "../../../python/last-lines.js";
import type { Sent } from "../../pool/sent-files.js";
import type { WorkerReport, WorkerSetup } from "../../pool/worker-messages.js";
import { hasJobEnded, type RayCluster } from "./ray-cluster.js";
import { type RunChunk, receiveRun } from "./run-transfer.js";

/** What is told of a worker: by itself, and by the job that holds it. */
export type RayReport =
  | WorkerReport
  | { kind: "ready"; pid: number; host: string; shared: boolean }
  /** Of a worker whose runs lie elsewhere: it has a checkpoint that was not there before. */
  | { kind: "saved" }
  | { kind: "gone"; reason: string };

/** What a worker is started with. */
export interface RayWorkerSpec {
  cpus: number;
  gpus: number;
  setup: Omit<WorkerSetup, "python" | "sent"> & { sent: Pick<Sent, "files"> };
  /** A file that is there, with this content, where the directory of the sweep is. */
  probe: { path: string; text: string };
}

const channelSchema = z.strictObject({ host: z.string(), port: z.int() });
/** Reports are made by this package on the other side: their kind tells the rest. */
const toldSchema = z.array(z.tuple([z.int(), z.strictObject({ worker: z.string(), report: z.custom<RayReport>((value) => typeof value === "object") })]));

const channelMark = "bh-bridge-channel ";
const lookAgainMs = 500;
/** A request is answered within some seconds; one that is not, is asked again. */
const answerMs = 30_000;
/** So long the network may be gone; the job waits longer for its controller than this. */
const patienceMs = 45_000;
const retryMs = 1000;
const quotedLines = 12;

/** The job of a sweep that is under way on a cluster: orders to its workers, and their reports. */
export class RayJob {
  readonly id: string;
  readonly #cluster: RayCluster;
  readonly #channel: string;
  readonly #token: string;
  readonly #listeners = new Map<string, (report: RayReport) => void>();
  #lost: BhBridgeError | undefined;
  #isEnded = false;
  #listening: Promise<void> | undefined;

  private constructor(cluster: RayCluster, id: string, channel: string, token: string) {
    this.#cluster = cluster;
    this.id = id;
    this.#channel = channel;
    this.#token = token;
  }

  /**
   * Wait until a job that was submitted can be reached.
   *
   * @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE` with its last words when it ends before, or when its port is closed to this machine; `ABORTED`.
   */
  static async reach(cluster: RayCluster, id: string, token: string, signal: AbortSignal): Promise<RayJob> {
    const { host, port } = await channelOf(cluster, id, signal);
    const hosts = [...new Set([new URL(cluster.address).hostname, host])];
    for (const each of hosts) {
      const job = new RayJob(cluster, id, `http://${each}:${port}`, token);
      if (await job.#answers()) {
        job.#listening = job.#listen();
        return job;
      }
    }
    throw new BhBridgeError(
      "EXECUTOR_UNAVAILABLE",
      `the job ${id} runs, and port ${port} of ${hosts.join(" or ")}, by which it is given its trials, cannot be reached from here: open it, or forward it as that of the dashboard, for example with ssh -L ${port}:${host}:${port}`,
    );
  }

  /** Start a worker; what it tells goes to the listener, in order. */
  async start(worker: string, spec: RayWorkerSpec, listener: (report: RayReport) => void): Promise<void> {
    if (this.#lost) throw this.#lost;
    this.#listeners.set(worker, listener);
    await this.#post(`start/${worker}`, JSON.stringify(spec));
  }

  async order(worker: string, order: object): Promise<void> {
    await this.#post(`order/${worker}`, JSON.stringify(order));
  }

  async close(worker: string): Promise<void> {
    this.#listeners.delete(worker);
    await this.#post(`close/${worker}`, "").catch(() => undefined); // a job that is gone has no workers
  }

  /** Fetch a run as it is now. */
  async fetchRun(worker: string, name: string, directory: string): Promise<void> {
    const answer = await fetch(`${this.#channel}/run/${worker}/${encodeURIComponent(name)}`, { headers: this.#headers });
    if (!answer.ok || !answer.body) throw new BhBridgeError("IO_FAILED", `${name} could not be fetched from the cluster (${answer.status})`);
    await receiveRun(answer.body, directory);
  }

  /** Send a piece of a run that a worker is to go on with. */
  async sendChunk(worker: string, name: string, { data, ...head }: RunChunk): Promise<void> {
    await this.#post(`chunk/${worker}`, Buffer.concat([Buffer.from(`${JSON.stringify({ name, ...head })}\n`), data]));
  }

  /** Let a worker take away a run that has been fetched. */
  async forgetRun(worker: string, name: string): Promise<void> {
    await this.#post(`forget/${worker}`, JSON.stringify({ name }));
  }

  /** End the job, and wait until its processes have ended. */
  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#post("end", "").catch(() => undefined);
    await this.#listening;
    for (let state = await this.#cluster.job(this.id); state && !hasJobEnded(state); state = await this.#cluster.job(this.id)) await after(lookAgainMs);
  }

  /** Ask for reports again and again: the questions also tell the job that its controller lives. */
  async #listen(): Promise<void> {
    let [heard, answeredAt] = [0, Date.now()];
    while (!this.#isEnded) {
      try {
        const answer = await this.#get(`reports?after=${heard}`);
        answeredAt = Date.now();
        for (const [number, { worker, report }] of toldSchema.parse(await answer.json())) {
          heard = number;
          this.#listeners.get(worker)?.(report);
        }
      } catch {
        if (this.#isEnded) return;
        const state = await this.#cluster.job(this.id).catch(() => undefined);
        if (Date.now() - answeredAt > patienceMs || (state && hasJobEnded(state))) {
          this.#lose(await endedEarly(this.#cluster, this.id));
          return;
        }
        await after(retryMs);
      }
    }
  }

  #lose(error: BhBridgeError): void {
    this.#lost = error;
    for (const listener of this.#listeners.values()) listener({ kind: "gone", reason: error.message });
  }

  async #answers(): Promise<boolean> {
    try {
      return (await this.#get("reports?after=0")).ok;
    } catch {
      return false;
    }
  }

  async #get(path: string): Promise<Response> {
    const answer = await fetch(`${this.#channel}/${path}`, { headers: this.#headers, signal: AbortSignal.timeout(answerMs) });
    if (!answer.ok) throw new BhBridgeError("EXECUTOR_UNAVAILABLE", `the job ${this.id} answered ${answer.status}`);
    return answer;
  }

  async #post(path: string, body: string | Uint8Array<ArrayBuffer>): Promise<void> {
    const answer = await fetch(`${this.#channel}/${path}`, { method: "POST", headers: this.#headers, body, signal: AbortSignal.timeout(answerMs) });
    const said = await answer.text();
    if (!answer.ok) throw new BhBridgeError("EXECUTOR_UNAVAILABLE", `the job ${this.id} answered ${answer.status}: ${said}`);
  }

  get #headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.#token}` };
  }
}

/** Where a job listens, as it prints it; Ray gives a job some seconds until it begins, and more where it makes an environment for it. */
async function channelOf(cluster: RayCluster, id: string, signal: AbortSignal): Promise<z.output<typeof channelSchema>> {
  for (;;) {
    if (signal.aborted) throw new BhBridgeError("ABORTED", "starting the job on the Ray cluster was cancelled");
    const state = await cluster.job(id);
    const logs = await cluster.logs(id).catch(() => ""); // it has none before it begins
    const line = logs.split("\n").find((each) => each.startsWith(channelMark));
    if (line !== undefined) return channelSchema.parse(JSON.parse(line.slice(channelMark.length)));
    if (!state || hasJobEnded(state)) throw await endedEarly(cluster, id);
    await after(lookAgainMs);
  }
}

async function endedEarly(cluster: RayCluster, id: string): Promise<BhBridgeError> {
  const [state, logs] = await Promise.all([cluster.job(id).catch(() => undefined), cluster.logs(id).catch(() => "")]);
  const said = lastLines(logs, quotedLines);
  const how = state === undefined ? "cannot be reached any more" : `is ${state.status}: ${state.message ?? ""}`;
  return new BhBridgeError("EXECUTOR_UNAVAILABLE", [`the job ${id} at ${cluster.address} ${how}`, ...said].join("\n"));
}
