import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { extname, join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { packageRoot } from "../python/package-manifest.js";
import type { RunArchive } from "../sweep/run-archive.js";
import { sendBytes, sendDocument, sendText, setSafetyHeaders } from "./answers.js";
import { Api } from "./api.js";
import { Catalogue } from "./catalogue.js";
import { takesArchive } from "./dropped-archives.js";

/** Who may ask this server, and how a browser comes to be one of them. */
export interface Access {
  /** What stands in the address that is printed. */
  readonly token: string;
  /** Whether a text is that token. */
  isToken(text: string): boolean;
  /** The header that makes the browser known from now on. */
  readonly setCookie: string;
  /** Why a request is refused, with its HTTP status; undefined when it is not. A page elsewhere can make a browser ask, but not under our name. */
  refusal(request: IncomingMessage): Refusal | undefined;
  /** Whether a request carries the cookie. */
  isKnown(request: IncomingMessage): boolean;
}

interface Refusal {
  status: 401 | 403 | 421;
  message: string;
}

/**
 * Access by a token of this start, which becomes a cookie.
 *
 * @param port part of the cookie's name: a browser sends the cookies of a host to all its ports.
 * @param hosts what may stand in the Host header.
 */
export function createAccess(port: number, hosts: readonly string[]): Access {
  const token = randomBytes(32).toString("hex");
  const session = randomBytes(32).toString("hex");
  const cookie = `bh-bridge-${port}`;
  const origins = hosts.map((host) => `http://${host}`);
  const isKnown = (request: IncomingMessage) => cookiesOf(request).some(([name, value]) => name === cookie && isSame(value, session));
  return {
    token,
    isToken: (text) => isSame(text, token),
    setCookie: `${cookie}=${session}; Path=/; HttpOnly; SameSite=Strict`,
    isKnown,
    refusal(request) {
      const { host, origin } = request.headers;
      if (host === undefined || !hosts.includes(host)) return { status: 421, message: "this server answers only to the address that bh-bridge serve printed" };
      const isChange = request.method !== "GET" && request.method !== "HEAD";
      if (origin === undefined ? isChange : !origins.includes(origin)) return { status: 403, message: "a page of another origin may not ask this server" };
      return undefined;
    },
  };
}

/** Compared by digests, so that the time tells nothing of either text. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function cookiesOf({ headers }: IncomingMessage): [name: string, value: string][] {
  return (headers.cookie ?? "").split(";").map((pair) => {
    const [name = "", value = ""] = pair.split("=");
    return [name.trim(), value.trim()];
  });
}

/** A file of the page, as it is sent. */
interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Its name says what is in it, so that a browser need not ask again. */
  readonly isFixed: boolean;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * The files of the built page by their address. They are read once, and nothing else is ever sent from a disk by its name.
 *
 * @throws {BhBridgeError} `INTERNAL` where the page was not built.
 */
export function readPageFiles(folder: string = join(packageRoot, "dist", "web")): ReadonlyMap<string, PageFile> {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => Object.hasOwn(types, extname(name)));
    return new Map(
      names.map((name) => {
        const type = types[extname(name)] ?? "";
        const address = name === "index.html" ? "/" : `/${name.replaceAll("\\", "/")}`;
        return [address, { type, bytes: readFileSync(join(folder, name)), isFixed: address.startsWith("/assets/") }];
      }),
    );
  } catch (cause) {
    throw new BhBridgeError("INTERNAL", `the page is not in ${folder}: build it with "node scripts/build.mjs", or install the package anew`, { cause });
  }
}

/** Where a server listens, and for what. */
export interface ServeOptions {
  /** Folders of runs, experiments and sweeps. */
  folders: readonly string[];
  /** Single runs, experiments and sweeps. */
  directories?: readonly string[];
  /** Archives that are shown as well; whoever opened them closes them when the server has ended. */
  archives?: readonly RunArchive[];
  /** 0 for any that is free; else this one, or the next that is free. */
  port: number;
  /** The address to listen at; `127.0.0.1`, which no other machine reaches, unless somebody asks for more. */
  host: string;
}

/** A server that listens. */
export interface Serving extends AsyncDisposable {
  readonly port: number;
  /** With the token. */
  readonly url: string;
}

/** Connections at a time; more are dropped as they come. */
const mostConnections = 512;
/** Of them, those that have not shown the token or its cookie; the oldest is dropped for one more. */
const mostStrangers = 128;
/** Ports that are tried one after the other. */
const triedPorts = 20;
/** No request has a body, but for an archive that is dropped on the page. */
const mostBodyBytes = 1024;

/** Serve the page and its API. @throws {BhBridgeError} `IO_FAILED` where no port is free or the address cannot be listened at; `INTERNAL`. */
export async function serve({ folders, directories, archives = [], port: wanted, host }: ServeOptions): Promise<Serving> {
  const files = readPageFiles();
  const server = createServer({
    maxHeaderSize: 16 * 1024,
    headersTimeout: 10_000,
    requestTimeout: 600_000, // of an archive; whoever sends nothing for a minute is gone before
    connectionsCheckingInterval: 2_000,
    keepAliveTimeout: 10_000,
  });
  server.maxConnections = mostConnections;
  const strangers = new Strangers();
  server.on("connection", (socket: Socket) => strangers.admit(socket));
  const port = await listen(server, wanted, host);
  const access = createAccess(port, allowedHosts(port, host));
  const catalogue = new Catalogue(folders, directories);
  for (const archive of archives) catalogue.add(archive);
  const api = new Api(catalogue);
  server.on("request", (request: IncomingMessage, response: ServerResponse) => void answer(request, response, { access, api, files, strangers }));
  server.on("clientError", (_, socket) => socket.destroy());
  return {
    port,
    url: `http://${host === "127.0.0.1" || isEverywhere(host) ? "127.0.0.1" : bracketed(host)}:${port}/?token=${access.token}`,
    async [Symbol.asyncDispose]() {
      api.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Answering {
  access: Access;
  api: Api;
  files: ReturnType<typeof readPageFiles>;
  strangers: Strangers;
}

/** Connections that have not shown the token or its cookie: whoever opens many and says nothing keeps nobody out. */
class Strangers {
  readonly #sockets = new Set<Socket>(); // the oldest first

  admit(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const [oldest] = this.#sockets;
    if (this.#sockets.size > mostStrangers) oldest?.destroy();
  }

  /** It is the user's. */
  recognize(socket: Socket): void {
    this.#sockets.delete(socket);
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, { access, api, files, strangers }: Answering): Promise<void> {
  setSafetyHeaders(response);
  response.setTimeout(60_000, () => response.destroy()); // whoever takes nothing for so long is gone
  try {
    const refusal = access.refusal(request);
    if (refusal) return sendText(response, refusal.status, refusal.message);
    const url = addressOf(request);
    if (!url) return sendText(response, 400, "this is no address");
    if (access.isKnown(request)) strangers.recognize(request.socket);
    const mayHaveBody = access.isKnown(request) && takesArchive(request.method, url.pathname.slice("/api/".length));
    if (!mayHaveBody) {
      if (Number(request.headers["content-length"] ?? 0) > mostBodyBytes || request.headers["transfer-encoding"] !== undefined) {
        response.setHeader("Connection", "close");
        return sendText(response, 413, "no request to this server has a body but an archive");
      }
      request.resume();
    }
    const token = url.searchParams.get("token");
    if (token !== null && request.method === "GET") {
      if (!access.isToken(token)) return sendText(response, 403, "this is not the token of this start. Open the address that bh-bridge serve printed last");
      strangers.recognize(request.socket);
      response.setHeader("Set-Cookie", access.setCookie);
      return sendOn(request, response);
    }
    if (!access.isKnown(request)) return sendText(response, 401, "Open the address that bh-bridge serve printed: it has the token that lets this browser in");
    if (url.pathname.startsWith("/api/")) {
      if (await api.answer(url.pathname.slice("/api/".length), { request, response, query: url.searchParams })) return;
      return sendDocument(response, { error: "there is nothing at this address; the run may have been removed" }, 404);
    }
    const file = files.get(url.pathname);
    if (!file) return sendText(response, 404, "there is nothing at this address");
    if (request.method !== "GET" && request.method !== "HEAD") return sendText(response, 405, "this address is only read");
    if (file.isFixed) response.setHeader("Cache-Control", "private, max-age=31536000, immutable");
    sendBytes(response, file.bytes, file.type);
  } catch (error) {
    if (!request.complete && !response.headersSent) response.setHeader("Connection", "close"); // nobody reads the rest of its body
    tellFailure(response, error);
  }
}

/**
 * Lead a browser that has been let in to the page. One that another page or a file led here would not send its new cookie along with a redirect
 * (`SameSite=Strict`): this page leads it on.
 */
function sendOn({ headers }: IncomingMessage, response: ServerResponse): void {
  const { "sec-fetch-site": cameFrom = "none" } = headers;
  if (cameFrom !== "none" && cameFrom !== "same-origin") {
    sendBytes(response, '<!doctype html><meta http-equiv="refresh" content="0; url=/"><title>bh-bridge</title>', "text/html; charset=utf-8");
    return;
  }
  response.writeHead(303, { Location: "/" });
  response.end();
}

/** The address that was asked for, as it was written: `..` is no way up here, and names nothing. */
function addressOf({ url = "/" }: IncomingMessage): { pathname: string; searchParams: URLSearchParams } | undefined {
  if (!url.startsWith("/")) return undefined;
  const [pathname = "/", query = ""] = url.split("?", 2);
  return { pathname, searchParams: new URLSearchParams(query) };
}

function tellFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy(); // the other side has gone, or learns by a short answer that something is wrong
    return;
  }
  const statuses: Readonly<Record<string, number>> = { USAGE: 400, TENSOR_NOT_FOUND: 404, FILE_NOT_FOUND: 404, RUN_NOT_FOUND: 404, INTERNAL: 500 };
  const [code, message] = error instanceof BhBridgeError ? [error.code, error.message] : ["INTERNAL", error instanceof Error ? error.message : String(error)];
  sendDocument(response, { error: message, code }, statuses[code] ?? 422);
}

function isEverywhere(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** What may stand in the Host header: a name that somebody else points here by DNS may not. */
function allowedHosts(port: number, host: string): string[] {
  const loopback = ["127.0.0.1", "localhost", "[::1]"];
  const own = isEverywhere(host)
    ? [hostname(), ...Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => bracketed(address)))]
    : [bracketed(host)];
  return [...new Set([...loopback, ...own])].map((name) => `${name}:${port}`);
}

async function listen(server: Server, wanted: number, host: string): Promise<number> {
  const ports = wanted === 0 ? [0] : Array.from({ length: triedPorts }, (_, next) => wanted + next).filter((port) => port < 65_536);
  for (const port of ports) {
    const problem = await listenAt(server, port, host);
    if (problem === undefined) break;
    if (problem.code !== "EADDRINUSE") throw new BhBridgeError("IO_FAILED", `cannot listen at ${host}, port ${port}: ${problem.message}`, { cause: problem });
  }
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new BhBridgeError(
      "IO_FAILED",
      `the ports ${ports[0]} to ${ports.at(-1)} are all taken: name another with --port, or let the system choose with --port 0`,
    );
  }
  return address.port;
}

function listenAt(server: Server, port: number, host: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException) => resolve(error);
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      resolve(undefined);
    });
  });
}
