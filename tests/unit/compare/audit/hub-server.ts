import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A file whose bytes are computed where they are requested, so that a large one costs nothing. */
interface ServedFile {
  readonly size: number;
  bytes(first: number, end: number): Uint8Array;
  readonly hash: string;
}

export const stored = (content: Uint8Array): ServedFile => ({
  size: content.length,
  bytes: (first, end) => content.subarray(first, end),
  hash: createHash("sha256").update(content).digest("hex"),
});

/** What a server does beside answering. */
interface Habits {
  ignoresRange?: boolean;
  /** Sends no hash of a file. */
  isSilent?: boolean;
  /** Answers to the next requests instead: a status, or an answer that is cut off. */
  faults?: (number | "cut off")[];
  /** The files are on another host, to which requests are redirected. */
  storage?: string;
}

/** The interface of the Hub for one model: refs, and files of revisions. */
export async function serveHub(revisions: Readonly<Record<string, Readonly<Record<string, ServedFile>>>>, habits: Habits = {}) {
  const requests: IncomingMessage[] = [];
  let sent = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): unknown => {
    requests.push(request);
    const fault = habits.faults?.shift();
    if (typeof fault === "number") return response.writeHead(fault, { "retry-after": "0" }).end("busy");
    const parts = (request.url ?? "").split("/").map(decodeURIComponent);
    const send = (status: number, content: Uint8Array, headers: Record<string, string> = {}): unknown => {
      sent += content.length;
      response.writeHead(status, { "content-length": String(content.length), ...headers });
      if (fault !== "cut off") return response.end(content);
      return response.write(content.subarray(0, content.length >> 1), () => response.destroy());
    };
    if (request.url === "/api/models/org/model/refs") {
      return send(
        200,
        Buffer.from(JSON.stringify({ branches: Object.keys(revisions).map((name) => ({ name, ref: `refs/heads/${name}`, targetCommit: "0" })), tags: [] })),
      );
    }
    const file = parts.slice(1, 4).join("/") === "org/model/resolve" ? revisions[parts[4] ?? ""]?.[parts[5] ?? ""] : undefined;
    if (!file) return send(404, Buffer.from("Entry not found"));
    const hash: Record<string, string> = habits.isSilent ? { etag: '"5f-1"' } : { "x-linked-etag": `"${file.hash}"` };
    if (habits.storage !== undefined) return response.writeHead(302, { location: `${habits.storage}${request.url}`, ...hash }).end();
    const range = habits.ignoresRange ? null : /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (!range) {
      response.writeHead(200, { "content-length": String(file.size), ...hash });
      return request.headers.range === undefined ? response.end(file.bytes(0, file.size)) : response.write(file.bytes(0, Math.min(file.size, 1000)));
    }
    const [first, end] = [Number(range[1]), Math.min(file.size, Number(range[2]) + 1)];
    if (first >= file.size) return send(416, Buffer.alloc(0), { "content-range": `bytes */${file.size}`, ...hash });
    return send(206, file.bytes(first, end), { "content-range": `bytes ${first}-${end - 1}/${file.size}`, ...hash });
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    address: `http://127.0.0.1:${port}/org/model`,
    requests,
    sent: () => sent,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
