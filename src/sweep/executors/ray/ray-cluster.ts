import { readFileSync } from "node:fs";
import { request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { BhBridgeError } from "../../../errors.js";

interface Question {
  method: string;
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array | undefined;
  signal: AbortSignal;
}

export interface Answer {
  status: number;
  text: string;
}

/**
 * Send a request. Not with `fetch`, which adds browser headers (`Sec-Fetch-Mode`) that Ray refuses.
 * @throws {Error} as Node's own requests, with their `code`.
 */
export async function sendRequest(url: string, { method, headers, body, signal }: Question): Promise<Answer> {
  const send = url.startsWith("https:") ? overHttps : overHttp;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
    const question = send(url, { method, headers: { ...headers, ...length }, signal }, (answer) => {
      text(answer).then((content) => resolve({ status: answer.statusCode ?? 0, text: content }), reject);
    });
    question.on("error", reject);
    question.end(body);
  });
}

/** A busy dashboard takes seconds to answer. */
const answerMs = 30_000;

const versionSchema = z.looseObject({ ray_version: z.string() });
const nodeSchema = z.looseObject({ node_id: z.string(), node_ip: z.string(), state: z.string(), resources_total: z.record(z.string(), z.number()) });
const nodesSchema = z.looseObject({ data: z.looseObject({ result: z.looseObject({ result: z.array(nodeSchema) }) }) });
const submittedSchema = z.looseObject({ submission_id: z.string() });
const jobSchema = z.looseObject({ status: z.enum(["PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"]), message: z.string().nullish() });
const logsSchema = z.looseObject({ logs: z.string().nullable() });

export type RayJobState = z.output<typeof jobSchema>;

/** A live machine of a cluster and its resources. */
export interface RayNode {
  address: string;
  cpus: number;
  gpus: number;
}

export interface RaySubmission {
  entrypoint: string;
  submission_id: string;
  runtime_env: Readonly<Record<string, unknown>>;
  metadata: Readonly<Record<string, string>>;
}

export function hasJobEnded({ status }: RayJobState): boolean {
  return status !== "PENDING" && status !== "RUNNING";
}

/** The address of a cluster's dashboard: the given one, the environment variables of Ray's own commands, or this machine. */
export function rayAddress(given?: string, env: NodeJS.ProcessEnv = process.env): string {
  const [chosen] = [given, env["RAY_API_SERVER_ADDRESS"], env["RAY_ADDRESS"]].filter((address) => address !== undefined && /^https?:\/\//.test(address));
  if (given !== undefined && chosen !== given) {
    throw new BhBridgeError("USAGE", `--address must be the address of a Ray dashboard such as http://127.0.0.1:8265, got "${given}"`);
  }
  return (chosen ?? "http://127.0.0.1:8265").replace(/\/+$/, "");
}

/** The token header of Ray's own commands, for clusters that require one. */
function authorization(env: NodeJS.ProcessEnv): Record<string, string> {
  const path = env["RAY_AUTH_TOKEN_PATH"];
  const token = env["RAY_AUTH_TOKEN"] ?? (path === undefined ? undefined : readFileSync(path, "utf8").trim());
  return token === undefined || token === "" ? {} : { Authorization: `Bearer ${token}` };
}

/** Client of a running Ray cluster: the REST interface of its dashboard. */
export class RayCluster {
  readonly address: string;
  readonly #headers: Record<string, string>;

  constructor(address: string, env: NodeJS.ProcessEnv = process.env) {
    this.address = address;
    this.#headers = authorization(env);
  }

  async version(signal?: AbortSignal): Promise<string> {
    return versionSchema.parse(await this.#json("GET", "/api/version", { signal })).ray_version;
  }

  async nodes(signal?: AbortSignal): Promise<RayNode[]> {
    const { data } = nodesSchema.parse(await this.#json("GET", "/api/v0/nodes?limit=10000&detail=1", { signal }));
    const alive = data.result.result.filter(({ state }) => state === "ALIVE");
    return alive.map(({ node_ip, resources_total: { CPU = 0, GPU = 0 } }) => ({ address: node_ip, cpus: CPU, gpus: GPU }));
  }

  async hasPackage(name: string, signal?: AbortSignal): Promise<boolean> {
    const { status } = await this.#request("GET", `/api/packages/gcs/${name}`, { signal, accepts: [404] });
    return status === 200;
  }

  async upload(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#request("PUT", `/api/packages/gcs/${name}`, { body: bytes, signal });
  }

  async submit(submission: RaySubmission, signal?: AbortSignal): Promise<string> {
    return submittedSchema.parse(await this.#json("POST", "/api/jobs/", { body: JSON.stringify(submission), signal })).submission_id;
  }

  /** Undefined for an unknown job. */
  async job(id: string, signal?: AbortSignal): Promise<RayJobState | undefined> {
    const answer = await this.#request("GET", `/api/jobs/${id}`, { accepts: [404], signal });
    return answer.status === 404 ? undefined : jobSchema.parse(JSON.parse(answer.text));
  }

  async logs(id: string, signal?: AbortSignal): Promise<string> {
    return logsSchema.parse(await this.#json("GET", `/api/jobs/${id}/logs`, { signal })).logs ?? "";
  }

  async stop(id: string, signal?: AbortSignal): Promise<void> {
    await this.#json("POST", `/api/jobs/${id}/stop`, { signal });
  }

  async #json(method: string, path: string, options: RequestOptions = {}): Promise<unknown> {
    return JSON.parse((await this.#request(method, path, options)).text);
  }

  async #request(method: string, path: string, { body, signal, accepts = [] }: RequestOptions = {}): Promise<Answer> {
    const timeout = AbortSignal.timeout(answerMs);
    let answer: Answer;
    try {
      answer = await sendRequest(`${this.address}${path}`, {
        method,
        headers: { ...this.#headers, ...(typeof body === "string" && { "Content-Type": "application/json" }) },
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        body,
      });
    } catch (cause) {
      if (signal?.aborted) throw new BhBridgeError("ABORTED", `asking the Ray cluster at ${this.address} was cancelled`, { cause });
      throw new BhBridgeError("EXECUTOR_UNAVAILABLE", `no Ray cluster answers at ${this.address} (${reasonOf(cause)}): ${howToGetOne}`, { cause });
    }
    if (answer.status < 300 || accepts.includes(answer.status)) return answer;
    const content = answer.text.trim().split("\n").slice(-3).join(" / ");
    const token = answer.status === 401 || answer.status === 403 ? ". It requires a token: set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH" : "";
    throw new BhBridgeError("EXECUTOR_UNAVAILABLE", `the Ray cluster at ${this.address} refused ${method} ${path} (${answer.status}): ${content}${token}`);
  }
}

interface RequestOptions {
  body?: string | Uint8Array;
  signal?: AbortSignal | undefined;
  /** Accepted status codes besides success. */
  accepts?: readonly number[];
}

const howToGetOne = "set --address to its dashboard, or start one here with: ray start --head. bh-bridge doctor --executor ray lists what is missing";

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === "TimeoutError") return `nothing came within ${answerMs / 1000} s`;
  const { code, message } = cause as NodeJS.ErrnoException;
  return code === "ECONNREFUSED" ? "the connection is refused" : (code ?? message);
}
