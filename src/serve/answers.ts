import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** The page may load only files of this server, has no inline scripts or styles, and cannot be framed. */
const contentPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Set the headers of every response. */
export function setSafetyHeaders(response: ServerResponse): void {
  response.setHeader("Content-Security-Policy", contentPolicy);
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Referrer-Policy", "no-referrer");
  response.setHeader("X-Frame-Options", "DENY");
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
  response.setHeader("Cache-Control", "no-store");
}

export function sendBytes(response: ServerResponse, bytes: string | Uint8Array, type: string, status = 200): void {
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(bytes) });
  response.end(response.req.method === "HEAD" ? undefined : bytes);
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  sendBytes(response, `${text}\n`, "text/plain; charset=utf-8", status);
}

export function sendDocument(response: ServerResponse, document: object, status = 200): void {
  sendBytes(response, JSON.stringify(document), "application/json; charset=utf-8", status);
}

/** Send pieces that are created on demand, so that a slow reader holds only one in memory. */
export async function sendPieces(response: ServerResponse, length: number, headers: Record<string, string>, pieces: () => Iterable<Uint8Array>): Promise<void> {
  const head = { ...headers, "Content-Length": length };
  if (response.req.method === "HEAD") {
    response.writeHead(200, head);
    response.end();
    return;
  }
  const iterator = pieces()[Symbol.iterator]();
  const first = iterator.next(); // before the headers, so that damage is answered as an error
  response.writeHead(200, head);
  await pipeline(Readable.from(continued(first, iterator), { objectMode: true, highWaterMark: 1 }), response);
}

function* continued<Piece>(first: IteratorResult<Piece>, rest: Iterator<Piece>): Generator<Piece> {
  for (let piece = first; !piece.done; piece = rest.next()) yield piece.value;
}
