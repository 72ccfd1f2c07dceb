import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { basename, dirname } from "node:path";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as after } from "node:timers/promises";
import { connect, createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { execa } from "execa";
import { BhBridgeError } from "../../errors.js";
import { writeError } from "../../formats/durable-write.js";
import { lastLines } from "../failures.js";
import { pythonVariables } from "../python-variables.js";

/** The present action of the set-up, in words; `detail` marks those of interest only in a changing status line. */
export interface SetupStep {
  text: string;
  detail: boolean;
}

/** Output of pip, venv, uv or a download → meaning and remedy. The first match counts, since a network failure also ends in "no matching distribution". */
const remedies: readonly [RegExp, string][] = [
  [
    /No space left on device|Errno 28\b|os error 28\b/,
    "The disk is full: an environment takes about 1.1 GB with a CPU build of torch, 6 GB with CUDA. Free some space, or choose another disk with --dir",
  ],
  [
    /ensurepip is not available|No module named '?(venv|ensurepip)/,
    "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv. Or run setup with --uv, which brings its own Python",
  ],
  [
    /CERTIFICATE_VERIFY_FAILED|SSLError|self.signed certificate|unable to (get|verify) .*certificate/i,
    "The certificate of the package index is not trusted: behind a proxy that inspects traffic, set PIP_CERT to its certificate",
  ],
  [
    /Temporary failure in name resolution|Name or service not known|nodename nor servname|getaddrinfo|Failed to establish a new connection|Network is unreachable|ProxyError|Connection (refused|reset|broken)|ConnectTimeout|timed out|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|socket hang up/i,
    "The server cannot be reached: check the network and the proxy (HTTPS_PROXY), or name a mirror: --index-url for packages, --torch-index-url for PyTorch's CPU builds, UV_PYTHON_INSTALL_MIRROR for Python",
  ],
  [/No matching distribution found/, "The index has no build for this Python and system: try another Python with --python, or another index with --index-url"],
  [/Permission denied|Errno 13\b|Read-only file system/, "The folder cannot be written to: choose another with --dir"],
  [/THESE PACKAGES DO NOT MATCH THE HASHES|Hash mismatch/, "A download was damaged: run the same command again"],
];

/** The remedy for a failed set-up, from the output of the failed program. */
export function explainSetupFailure(output: string): string {
  const remedy = remedies.find(([pattern]) => pattern.test(output))?.[1];
  return `${remedy ?? "See the lines above for the reason"}. Run the same command again to continue`;
}

function setupStopped(cause?: unknown): BhBridgeError {
  return new BhBridgeError("ABORTED", "the set-up was stopped. Run the same command again to continue", { cause });
}

/** Number of a program's last lines in an error: the ERROR lines of pip and their context. */
const quotedLines = 12;

/** Settings for unattended pip: no questions, no advice, and no other target folder from its configuration. */
const pipEnvironment = {
  PIP_NO_INPUT: "1",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  PIP_USER: "0",
  PIP_TARGET: undefined,
  PIP_PREFIX: undefined,
  PIP_ROOT: undefined,
};

interface SetupProgram {
  env?: Readonly<Record<string, string | undefined>> | undefined;
  signal?: AbortSignal | undefined;
  onLine?: ((line: string) => void) | undefined;
}

/**
 * Run a program of the set-up, and return its stdout.
 * @throws {BhBridgeError} `SETUP_FAILED` with the last lines of its output and what to do; `ABORTED` by the signal.
 */
export async function runSetupStep(program: string, args: readonly string[], { env, signal, onLine }: SetupProgram): Promise<string> {
  const watch = function* (line: unknown) {
    onLine?.(String(line));
    yield line;
  };
  const result = await execa(program, args, {
    reject: false,
    all: true,
    stdin: "ignore",
    stdout: watch,
    env: { ...pythonVariables(), ...pipEnvironment, ...env },
    ...(signal && { cancelSignal: signal }),
  });
  if (!result.failed) return result.stdout;
  if (result.isCanceled || result.signal === "SIGINT") throw setupStopped(result);
  const { exitCode = null, signal: killedBy = null } = result;
  const output = lastLines(result.all, quotedLines);
  const command = `${program} ${args.slice(0, 3).join(" ")}`;
  const quoted = output.map((line) => `  ${line}\n`).join("");
  const message = `"${command}" ended with ${killedBy ?? `exit code ${exitCode}`}:\n${quoted}${explainSetupFailure(result.all)}`;
  throw new BhBridgeError("SETUP_FAILED", message, { cause: result, exit: { exitCode, signal: killedBy, lastLines: output } });
}

/** Whether `NO_PROXY` names a host: `*`, a name, or a domain with all its names; each with or without a port. */
function isExempt(url: URL, list: string): boolean {
  const { hostname, port } = url;
  return list.split(/[\s,]+/).some((entry) => {
    const [, name = "", only] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    if (entry === "*") return true;
    if (name === "" || (only !== undefined && only !== port)) return false;
    return hostname === name || hostname.endsWith(`.${name}`);
  });
}

/** The proxy for an address by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, each in upper or lower case. */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv = process.env): URL | undefined {
  const variable = (name: string) => env[name] || env[name.toUpperCase()] || "";
  const proxy = variable(`${url.protocol.slice(0, -1)}_proxy`) || variable("all_proxy");
  if (proxy === "" || isExempt(url, variable("no_proxy"))) return undefined;
  const full = proxy.includes("://") ? proxy : `http://${proxy}`;
  if (/^https?:/i.test(full) && URL.canParse(full)) return new URL(full);
  throw new BhBridgeError("SETUP_FAILED", `the proxy ${proxy} is not supported: give one as http://HOST:PORT in HTTPS_PROXY`);
}

/** The files with certificates that the environment names, or else the system's. */
function certificateFiles(env: NodeJS.ProcessEnv): string[] {
  const named = ["PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"].flatMap((name) => env[name] || []);
  const files = named.length > 0 ? named.slice(0, 1) : systemCertificates.filter((path) => existsSync(path));
  return [...files, ...(env["NODE_EXTRA_CA_CERTS"] ? [env["NODE_EXTRA_CA_CERTS"]] : [])];
}

let parsed: { files: string; context: SecureContext } | undefined;

/** Trust in those certificates and in those of Node.js. It is kept, because parsing them takes longer than a small download. */
function trust(): SecureContext {
  const files = certificateFiles(process.env);
  if (parsed?.files !== files.join()) {
    parsed = { files: files.join(), context: createSecureContext({ ca: [...rootCertificates, ...files.map(readCertificates)] }) };
  }
  return parsed.context;
}

/** Where Debian, Fedora and macOS have their certificates. */
const systemCertificates = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

function readCertificates(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new BhBridgeError("SETUP_FAILED", `the certificates in ${path} cannot be read: correct PIP_CERT, SSL_CERT_FILE or REQUESTS_CA_BUNDLE`, { cause });
  }
}

const idleTimeoutMs = 60_000;

/** A connection through a proxy to the server of an `https:` address. */
function tunnel(proxy: URL, { hostname, port }: URL, signal?: AbortSignal): Promise<Duplex> {
  const target = `${hostname}:${port || 443}`;
  const { promise, resolve, reject } = withResolvers<Duplex>();
  const options = {
    method: "CONNECT",
    path: target,
    headers: { host: target, ...proxyAuthorization(proxy) },
    timeout: idleTimeoutMs,
    ...(signal && { signal }),
  };
  const request = (proxy.protocol === "https:" ? https : http).request({ host: proxy.hostname, port: proxy.port, ...options });
  request.once("connect", ({ statusCode }, socket: Duplex) => {
    if (statusCode === 200) return resolve(socket);
    socket.destroy();
    reject(refusal(`ProxyError: the proxy ${proxy.host} answered ${statusCode}`, statusCode));
  });
  request.once("error", reject).once("timeout", () => request.destroy(new Error(`ProxyError: the proxy ${proxy.host} timed out`)));
  request.end();
  return promise;
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers<Value>() {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (reason: Error) => void = () => undefined;
  const promise = new Promise<Value>((whenDone, whenFailed) => {
    resolve = whenDone;
    reject = whenFailed;
  });
  return { promise, resolve, reject };
}

const basic = ({ username, password }: URL) => `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`;

const proxyAuthorization = (proxy: URL): Record<string, string> => (proxy.username === "" ? {} : { "proxy-authorization": basic(proxy) });

/** The answer to one GET request. */
async function answerOf(url: URL, headers: Record<string, string>, signal?: AbortSignal): Promise<IncomingMessage> {
  const proxy = proxyFor(url);
  const { promise, resolve, reject } = withResolvers<IncomingMessage>();
  const options = { headers: { "user-agent": "bh-bridge", ...headers }, timeout: idleTimeoutMs, agent: false as const, ...(signal && { signal }) };
  const request = await (async () => {
    if (url.protocol === "https:") {
      const secure = { servername: isIP(url.hostname) ? "" : url.hostname, secureContext: trust() };
      const address = proxy ? { socket: await tunnel(proxy, url, signal) } : { host: url.hostname, port: Number(url.port || 443) };
      return https.get(url, { ...options, agent: undefined, createConnection: () => connect({ ...address, ...secure }) });
    }
    if (!proxy) return http.get(url, options);
    const inProxy = { host: url.host, ...proxyAuthorization(proxy), ...(url.username !== "" && { authorization: basic(url) }) };
    return http.get({ ...options, hostname: proxy.hostname, port: proxy.port, path: shown(url), headers: { ...options.headers, ...inProxy } });
  })();
  request.once("response", resolve).once("error", reject);
  request.once("timeout", () => request.destroy(new Error(`${url.host} timed out`)));
  return promise;
}

const mostRedirects = 5;

/** GET an address and follow its redirects. @returns the answer and the address that gave it. */
async function get(url: URL, headers: Record<string, string>, signal?: AbortSignal): Promise<{ answer: IncomingMessage; url: URL }> {
  let at = url;
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const answer = await answerOf(at, headers, signal);
    const { statusCode = 0, headers: received } = answer;
    if (statusCode < 300 || statusCode > 399 || received.location === undefined) return { answer, url: at };
    answer.resume();
    const next = new URL(received.location, at);
    if (at.protocol === "https:" && next.protocol !== "https:") throw new Error(`${at.host} redirects to the unencrypted address ${shown(next)}`);
    at = next;
  }
  throw new Error(`${url.host} redirects more than ${mostRedirects} times`);
}

/** An address without user name and password. */
function shown(url: URL | string): string {
  const plain = new URL(url);
  [plain.username, plain.password] = ["", ""];
  return plain.href;
}

/** An answer whose status will not change when it is asked for again. */
class Refusal extends Error {}

const refusal = (text: string, status = 0) => (status >= 500 || status === 429 ? new Error(text) : new Refusal(text));

function requireStatus({ statusCode = 0, statusMessage }: IncomingMessage, wanted: readonly number[]): void {
  if (!wanted.includes(statusCode)) throw refusal(`the server answered ${statusCode} ${statusMessage}`, statusCode);
}

const attempts = 4;

/**
 * Try a transfer again after a failure of the network.
 * @param progress of the transfer so far; attempts are counted from its last progress.
 * @throws {BhBridgeError} `SETUP_FAILED`, `ABORTED`.
 */
async function withRetries<Value>(url: URL, signal: AbortSignal | undefined, transfer: () => Promise<Value>, progress = () => 0): Promise<Value> {
  let before = progress();
  for (let attempt = 1; ; attempt++) {
    try {
      return await transfer();
    } catch (cause) {
      if (signal?.aborted) throw setupStopped(cause);
      if (cause instanceof BhBridgeError) throw cause;
      const message = reasonOf(cause);
      const now = progress();
      if (now > before) [attempt, before] = [0, now];
      if (attempt === attempts || cause instanceof Refusal || /certificate/i.test(message))
        throw new BhBridgeError("SETUP_FAILED", `${shown(url)} cannot be downloaded: ${message}.\n${explainSetupFailure(message)}`, { cause });
      await after(250 * 2 ** attempt, undefined, signal && { signal }).catch(() => undefined);
    }
  }
}

function reasonOf(cause: unknown): string {
  const { message, code, errors } = cause as NodeJS.ErrnoException & { errors?: Error[] }; // several, if no address of a host answers
  if (message === "aborted") return "Connection broken";
  return message || errors?.map((error) => error.message).join(", ") || code || String(cause);
}

/** Addresses of the files of a project in a package index (PEP 503), by file name. @throws {BhBridgeError} `SETUP_FAILED`, `ABORTED`. */
export async function indexedFiles(index: string, project: string, signal?: AbortSignal): Promise<ReadonlyMap<string, URL>> {
  const page = new URL(`${index.replace(/\/+$/, "")}/${project}/`);
  return withRetries(page, signal, async () => {
    const { answer, url } = await get(page, { accept: "application/vnd.pypi.simple.v1+html, text/html;q=0.9", "accept-encoding": "identity" }, signal);
    requireStatus(answer, [200]);
    let text = "";
    for await (const piece of answer.setEncoding("utf8")) text += String(piece);
    const links = [...text.matchAll(/<a\b[^>]*\bhref\s*=\s*["']([^"']+)["']/gi)].map(([, href = ""]) => new URL(href.replaceAll("&amp;", "&"), url));
    return new Map(links.map((link) => [decodeURIComponent(link.pathname.split("/").at(-1) ?? ""), link]));
  });
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

interface DownloadedFile {
  path: string;
  /** Address; asked for only if the file is not there yet. */
  url: () => Promise<URL>;
  /** Null if another program verifies the file. */
  sha256: string | null;
  signal?: AbortSignal | undefined;
  /** Called with the bytes of the file that are there, and all its bytes once they are known. */
  onBytes: (done: number, total?: number) => void;
}

/**
 * Download a file, or the rest of it. It gets its name when it is complete and has its SHA-256; until then it is `*.part`.
 * @throws {BhBridgeError} `SETUP_FAILED`, `FILE_UNWRITABLE`, `DISK_FULL`, `ABORTED`.
 */
export async function downloadFile({ path, url: locate, sha256, signal, onBytes }: DownloadedFile): Promise<void> {
  const isRight = async (file: string) => sha256 === null || (await sha256Of(file)) === sha256;
  if (existsSync(path)) {
    if (await isRight(path)) return onBytes(statSync(path).size);
    rmSync(path);
  }
  const part = `${path}.part`;
  const url = await locate();
  mkdirSync(dirname(path), { recursive: true });
  for (const isLastTry of [false, true]) {
    await withRetries(
      url,
      signal,
      () => receive(url, part, onBytes, signal),
      () => sizeOf(part),
    );
    if (await isRight(part)) return renameSync(part, path);
    rmSync(part);
    if (isLastTry) break;
  }
  const remedy = "Something between here and the server changes files: use another network, or another mirror with --index-url";
  throw new BhBridgeError(
    "SETUP_FAILED",
    `${basename(path)} from ${shown(url)} is not the file that bh-bridge expects: its SHA-256 is not ${sha256}. ${remedy}`,
  );
}

/** Append to a partial file what it lacks. */
async function receive(url: URL, part: string, onBytes: DownloadedFile["onBytes"], signal?: AbortSignal): Promise<void> {
  const start = sizeOf(part);
  const { answer } = await get(url, { "accept-encoding": "identity", ...(start > 0 && { range: `bytes=${start}-` }) }, signal);
  if (answer.statusCode === 416) return void answer.resume(); // nothing is missing, or it is another file: its SHA-256 decides
  requireStatus(answer, start > 0 ? [200, 206] : [200]);
  const isRest = answer.statusCode === 206;
  let done = isRest ? start : 0;
  const length = Number(answer.headers["content-length"] ?? Number.NaN);
  const total = Number.isNaN(length) ? undefined : done + length;
  let broken: unknown;
  // A broken connection ends the stream as its end does, so that what has arrived is written and need not come again.
  const count = async function* (source: AsyncIterable<Buffer>) {
    try {
      for await (const piece of source) {
        done += piece.length;
        onBytes(done, total);
        yield piece;
      }
    } catch (cause) {
      broken = cause;
    }
  };
  try {
    await pipeline(answer, count, createWriteStream(part, { flags: isRest ? "a" : "w" }), signal ? { signal } : {});
  } catch (cause) {
    if (/^(ENOSPC|EDQUOT|EFBIG|EACCES|EROFS|EIO)$/.test(String((cause as NodeJS.ErrnoException).code))) throw writeError(part, cause);
    throw cause;
  }
  if (broken !== undefined) throw broken;
  if (total !== undefined && done < total) throw new Error(`Connection broken after ${done} of ${total} bytes`);
}
