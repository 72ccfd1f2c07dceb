import { BhBridgeError } from "../../errors.js";
import { formatBytes } from "../../text/format.js";
import { formatInvalid } from "../file-bytes.js";

const maxRedirects = 5;
const attempts = 4;
const firstWaitMs = 250;
const longestWaitMs = 60_000;
const silenceMs = 60_000;
/** The largest JSON document that is read. */
const maxJsonBytes = 64 * 2 ** 20;
/** SHA-256 of a large file, or SHA-1 of a blob of git. Other entity tags need not be equal for equal files. */
const contentHash = /^"?([0-9a-f]{64}|[0-9a-f]{40})"?$/;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly hash: string | null;
  /** Where the last redirect led. */
  readonly url: string;
}

/** A file on a server, read in parts. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  readonly hash: string | null;
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Access to one model on a server with the interface of the Hugging Face Hub, by range requests. Nothing is stored. */
export class HubFiles {
  /** Bytes of all answers. */
  bytesReceived = 0;
  readonly #model: URL;
  readonly #signal: AbortSignal | undefined;

  /** @throws {BhBridgeError} `USAGE` for what is not the address of a model. */
  constructor(address: string, signal?: AbortSignal) {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url?.username !== "" || !/^\/[^/]+(?:\/[^/]+)?\/?$/.test(url.pathname)) {
      throw new BhBridgeError("USAGE", `${address} is not the address of a model. Use an address such as https://huggingface.co/org/model`);
    }
    this.#model = new URL(url.pathname.replace(/\/$/, ""), url.origin);
    this.#signal = signal;
  }

  /** Names of the branches and tags. @throws {BhBridgeError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FORMAT_INVALID`, `IO_FAILED`, `ABORTED`. */
  async revisions(): Promise<string[]> {
    const url = `${this.#model.origin}/api/models${this.#model.pathname}/refs`;
    const refs = await this.#json(url);
    if (refs === undefined) throw new BhBridgeError("FILE_NOT_FOUND", `${this.#model.href} is not a model on ${this.#model.host}: ${url} does not exist`);
    const lists = typeof refs === "object" && refs !== null ? Object.entries(refs).filter(([key]) => key === "branches" || key === "tags") : [];
    const names = lists.flatMap(([, list]) => (Array.isArray(list) ? list.map((ref: { name?: unknown } | null) => ref?.name) : []));
    return [...new Set(names.filter((name) => typeof name === "string"))];
  }

  /** The value of a JSON file; undefined if it does not exist. @throws {BhBridgeError} as `revisions`. */
  json(revision: string, name: string): Promise<unknown> {
    return this.#json(this.#url(revision, name));
  }

  /** Open a file; undefined if it does not exist. @throws {BhBridgeError} as `revisions`; `IO_FAILED` for a server that ignores ranges. */
  async open(revision: string, name: string): Promise<HubFile | undefined> {
    const path = this.#url(revision, name);
    const first = await this.#get(path, [0, 8]);
    if (first.status === 404) return undefined;
    const size = Number(/\/(\d+)$/.exec(first.headers.get("content-range") ?? "")?.[1] ?? first.bytes.length);
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      if (offset + length > size) throw formatInvalid(path, offset, `${length} bytes should follow, but the file has ${size}`);
      if (offset + length <= first.bytes.length) return first.bytes.slice(offset, offset + length);
      const { bytes } = await this.#get(first.url, [offset, length]);
      if (bytes.length === length) return bytes;
      throw new BhBridgeError("IO_FAILED", `${path} has changed on its server: ${length} bytes were requested at byte ${offset}, and ${bytes.length} received`);
    };
    return { path, size, hash: first.hash, read };
  }

  #url(revision: string, name: string): string {
    return `${this.#model.href}/resolve/${encodeURIComponent(revision)}/${encodeURIComponent(name)}`;
  }

  async #json(url: string): Promise<unknown> {
    const { status, bytes } = await this.#get(url);
    if (status === 404) return undefined;
    try {
      return JSON.parse(Buffer.from(bytes).toString("utf8"));
    } catch (cause) {
      throw formatInvalid(url, 0, "it is not JSON", cause);
    }
  }

  /** Request a file or a range of it, again after errors that may pass. */
  async #get(url: string, range?: readonly [offset: number, length: number]): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      let waitMs = firstWaitMs * 2 ** (attempt - 1);
      let failure: unknown;
      try {
        const answer = await this.#answer(url, range);
        if (answer.status !== 429 && answer.status < 500) return checked(url, answer);
        failure = new Error(`HTTP ${answer.status}`);
        waitMs = Math.max(waitMs, 1000 * Number(answer.headers.get("retry-after")) || 0);
      } catch (error) {
        if (this.#signal?.aborted) throw new BhBridgeError("ABORTED", `reading ${url} was cancelled`, { cause: this.#signal.reason });
        if (error instanceof BhBridgeError) throw error;
        failure = error;
      }
      if (attempt === attempts) {
        const reason =
          failure instanceof Error ? [failure.message, failure.cause instanceof Error ? failure.cause.message : ""].join(" ").trim() : String(failure);
        throw new BhBridgeError("IO_FAILED", `${url} cannot be read after ${attempts} attempts: ${reason}`, { cause: failure });
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(waitMs, longestWaitMs)));
    }
  }

  async #answer(url: string, range?: readonly [offset: number, length: number]): Promise<Answer> {
    const signal = AbortSignal.any([AbortSignal.timeout(silenceMs), ...(this.#signal ? [this.#signal] : [])]);
    let hash: string | null = null;
    for (let at = new URL(url), redirects = 0; redirects <= maxRedirects; redirects++) {
      const response = await fetch(at, { headers: this.#headers(at, range), redirect: "manual", signal });
      const location = response.headers.get("location");
      hash ??= contentHash.exec(response.headers.get("x-linked-etag") ?? "")?.[1] ?? null;
      if (response.status < 300 || response.status >= 400 || location === null) {
        hash ??= contentHash.exec(response.headers.get("etag") ?? "")?.[1] ?? null;
        if (!response.ok) await response.body?.cancel();
        const bytes = response.ok ? await this.#body(response, url, range?.[1]) : new Uint8Array();
        return { status: response.status, headers: response.headers, bytes, hash, url: at.href };
      }
      await response.body?.cancel();
      at = new URL(location, at);
    }
    throw new BhBridgeError("IO_FAILED", `${url} is redirected more than ${maxRedirects} times`);
  }

  /** The token of the environment is sent only to the host that the user named, and encrypted unless that is this machine. */
  #headers(at: URL, range?: readonly [offset: number, length: number]): Record<string, string> {
    const token = process.env["HF_TOKEN"];
    const isSafe = at.protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(at.hostname);
    return {
      "accept-encoding": "identity",
      ...(range && { range: `bytes=${range[0]}-${range[0] + range[1] - 1}` }),
      ...(token && isSafe && at.origin === this.#model.origin && { authorization: `Bearer ${token}` }),
    };
  }

  /** At most the requested bytes of an answer, so that a server without ranges costs no download. */
  async #body(response: Response, url: string, length?: number): Promise<Uint8Array> {
    const announced = Number(response.headers.get("content-length") ?? 0);
    const most = length ?? maxJsonBytes;
    const parts: Uint8Array[] = [];
    let received = 0;
    for await (const part of announced > most ? [] : (response.body ?? [])) {
      parts.push(part);
      received += part.length;
      this.bytesReceived += part.length;
      if (received > most) break;
    }
    if (announced <= most && received <= most) {
      if (length !== undefined && response.status === 206 && received < Math.min(length, announced || length)) throw new Error("the answer was cut off");
      return new Uint8Array(Buffer.concat(parts)); // in memory of its own: the elements are read through views
    }
    await response.body?.cancel().catch(() => undefined);
    const { host } = new URL(url);
    if (length === undefined) throw new BhBridgeError("FORMAT_INVALID", `${url} has more than ${formatBytes(maxJsonBytes)}`);
    const all = announced > 0 ? formatBytes(announced) : "the whole file";
    throw new BhBridgeError(
      "IO_FAILED",
      `${host} ignores range requests: ${length} bytes of ${url} would download ${all}. Download the checkpoints and audit their folder`,
    );
  }
}

function checked(url: string, answer: Answer): Answer {
  const { status } = answer;
  if (status === 401 || status === 403) {
    throw new BhBridgeError(
      "FILE_UNREADABLE",
      `${url} may not be read (HTTP ${status}): it is private or does not exist. Set HF_TOKEN to a token that may read it`,
    );
  }
  if (status >= 400 && status !== 404 && status !== 416) throw new BhBridgeError("IO_FAILED", `${url} cannot be read: HTTP ${status}`);
  return answer;
}
