import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { extname, join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { packageRoot } from "../python/package-manifest.js";
import type { RunArchive } from "../sweep/run-archive.js";
import { type Refusal, refusalStyle, sendBytes, sendDocument, sendRefusal, sendText, setSafetyHeaders } from "./answers.js";
import { Api, takesNote } from "./api.js";
import { Catalogue } from "./catalogue.js";
import { takesArchive } from "./dropped-archives.js";

export interface Access {
  readonly token: string;
  isToken(text: string): boolean;
  /** The header that stores the cookie in the browser. */
  readonly setCookie: string;
  /** Reason and HTTP status for refusing a request of a foreign host or origin; undefined if it is allowed. */
  refusal(request: IncomingMessage): Refusal | undefined;
  isKnown(request: IncomingMessage): boolean;
}

/**
 * Access by a token of this server, which is exchanged for a cookie.
 * @param port part of the cookie's name, as a browser sends the cookies of a host to all its ports.
 * @param hosts accepted values of the Host header.
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
      if (host === undefined || !hosts.includes(host)) return { status: 421, message: "This server only answers at the address that bh-bridge serve printed" };
      const isChange = request.method !== "GET" && request.method !== "HEAD";
      if (origin === undefined ? isChange : !origins.includes(origin)) return { status: 403, message: "Pages of other origins may not access this server" };
      return undefined;
    },
  };
}

/** Compare digests, so that the duration reveals nothing about the texts. */
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

interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Whether its name contains a hash, so that browsers can cache it. */
  readonly isFixed: boolean;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Read the files of the built page by address. No other file is ever sent by name. @throws {BhBridgeError} `INTERNAL` if the page was not built. */
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
    throw new BhBridgeError("INTERNAL", `the page is not in ${folder}: build it with "node scripts/build.mjs", or reinstall the package`, { cause });
  }
}

export interface ServeOptions {
  /** Folders of runs, experiments and sweeps. */
  folders: readonly string[];
  /** Single runs, experiments and sweeps. */
  directories?: readonly string[];
  /** Archives, which the caller closes after the server has ended. */
  archives?: readonly RunArchive[];
  /** Port, or the next free one; 0 selects any. */
  port: number;
  /** Address to listen on; other machines cannot reach `127.0.0.1`. */
  host: string;
}

export interface Serving extends AsyncDisposable {
  readonly port: number;
  /** Address with the token. */
  readonly url: string;
}

const maxConnections = 512;
/** Maximum number of connections without token or cookie; the oldest is dropped for a new one. */
const maxStrangers = 128;
const triedPorts = 20;
/** Maximum size of the body of a request, unless it is an archive or a note. */
const maxBodyBytes = 1024;

/** Serve the page and its API. @throws {BhBridgeError} `IO_FAILED` if no port is free or the address is not available; `INTERNAL`. */
export async function serve({ folders, directories, archives = [], port: wanted, host }: ServeOptions): Promise<Serving> {
  const files = readPageFiles();
  const server = createServer({
    maxHeaderSize: 16 * 1024,
    headersTimeout: 10_000,
    requestTimeout: 600_000, // for an archive; idle clients are dropped after a minute
    connectionsCheckingInterval: 2_000,
    keepAliveTimeout: 10_000,
  });
  server.maxConnections = maxConnections;
  const strangers: Strangers = new Set();
  server.on("connection", (socket: Socket) => {
    strangers.add(socket);
    socket.once("close", () => strangers.delete(socket));
    const [oldest] = strangers;
    if (strangers.size > maxStrangers) oldest?.destroy();
  });
  const port = await listen(server, wanted, host);
  const access = createAccess(port, allowedHosts(port, host));
  const catalogue = new Catalogue(folders, directories);
  for (const archive of archives) catalogue.add(archive);
  void catalogue.shelf().catch(() => undefined); // while a browser starts; a request reports what is wrong
  const api = new Api(catalogue);
  const style = refusalStyle([...files].flatMap(([address, { bytes }]) => (address.endsWith(".css") ? [bytes.toString("utf8")] : [])).join("\n"));
  server.on("request", (request: IncomingMessage, response: ServerResponse) => void answer(request, response, { access, api, files, strangers, style }));
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

const noToken: Refusal = { status: 401, message: "Open the address that bh-bridge serve printed: it contains the access token" };
const wrongToken: Refusal = { status: 403, message: "The token is not that of this server. Open the address that bh-bridge serve printed last" };

type Answering = { access: Access; api: Api; files: ReturnType<typeof readPageFiles>; strangers: Strangers; style: string };

/** Connections without token or cookie, oldest first. They are limited, so that they cannot block the user's. */
type Strangers = Set<Socket>;

async function answer(request: IncomingMessage, response: ServerResponse, { access, api, files, strangers, style }: Answering): Promise<void> {
  setSafetyHeaders(response);
  response.setTimeout(60_000, () => response.destroy()); // drops clients that stopped reading
  try {
    const refusal = access.refusal(request);
    if (refusal) return sendRefusal(response, refusal, style);
    const url = addressOf(request);
    if (!url) return sendText(response, 400, "invalid address");
    if (access.isKnown(request)) strangers.delete(request.socket);
    const mayHaveBody = access.isKnown(request) && [takesArchive, takesNote].some((takes) => takes(request.method, url.pathname.slice("/api/".length)));
    if (!mayHaveBody) {
      if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes || request.headers["transfer-encoding"] !== undefined) {
        response.setHeader("Connection", "close");
        return sendText(response, 413, "this server accepts only archives and notes");
      }
      request.resume();
    }
    const token = url.searchParams.get("token");
    if (token !== null && request.method === "GET") {
      if (!access.isToken(token)) return sendRefusal(response, wrongToken, style);
      strangers.delete(request.socket);
      response.setHeader("Set-Cookie", access.setCookie);
      return sendOn(request, response);
    }
    if (!access.isKnown(request)) return sendRefusal(response, noToken, style);
    if (url.pathname.startsWith("/api/")) {
      if (await api.answer(url.pathname.slice("/api/".length), { request, response, query: url.searchParams })) return;
      return sendDocument(response, { error: "nothing found at this address; the run may have been removed" }, 404);
    }
    const file = files.get(url.pathname);
    if (!file) return sendText(response, 404, "nothing found at this address");
    if (request.method !== "GET" && request.method !== "HEAD") return sendText(response, 405, "this address is read-only");
    if (file.isFixed) response.setHeader("Cache-Control", "private, max-age=31536000, immutable");
    sendBytes(response, file.bytes, file.type);
  } catch (error) {
    if (!request.complete && !response.headersSent) response.setHeader("Connection", "close"); // the rest of its body is not read
    sendFailure(response, error);
  }
}

/**
 * Redirect an authorized browser to the page. After a link from another page or a file, a redirect would not carry the new cookie (`SameSite=Strict`), so a
 * small page redirects instead.
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

/** The requested address without resolving `..`, which names nothing here. */
function addressOf({ url = "/" }: IncomingMessage): { pathname: string; searchParams: URLSearchParams } | undefined {
  if (!url.startsWith("/")) return undefined;
  const [pathname = "/", query = ""] = url.split("?", 2);
  return { pathname, searchParams: new URLSearchParams(query) };
}

function sendFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy(); // a truncated response signals the error
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

/** Accepted values of the Host header, which exclude names that others point here by DNS. */
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
    if (problem.code !== "EADDRINUSE") throw new BhBridgeError("IO_FAILED", `cannot listen on ${host}, port ${port}: ${problem.message}`, { cause: problem });
  }
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new BhBridgeError("IO_FAILED", `the ports ${ports[0]} to ${ports.at(-1)} are in use: choose another with --port, or any with --port 0`);
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
