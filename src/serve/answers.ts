import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** The page may load what this server sends and nothing else; no script and no style stands in it; no other page may hold it in a frame. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** What every answer carries. */
export function setSafetyHeaders(response: ServerResponse): void {
  response.setHeader("Content-Security-Policy", contentPolicy);
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Referrer-Policy", "no-referrer");
  response.setHeader("X-Frame-Options", "DENY");
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
  response.setHeader("Cache-Control", "no-store");
}

/** Answer with bytes. */
export function sendBytes(response: ServerResponse, bytes: string | Uint8Array, type: string, status = 200): void {
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(bytes) });
  response.end(response.req.method === "HEAD" ? undefined : bytes);
}

/** Answer with a plain text. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  sendBytes(response, `${text}\n`, "text/plain; charset=utf-8", status);
}

/** Answer with a document. */
export function sendDocument(response: ServerResponse, document: object, status = 200): void {
  sendBytes(response, JSON.stringify(document), "application/json; charset=utf-8", status);
}

/** Answer with pieces that are made as the other side takes them, so that a reader that does not read holds one of them and no more. */
export async function sendPieces(response: ServerResponse, length: number, headers: Record<string, string>, pieces: () => Iterable<Uint8Array>): Promise<void> {
  const head = { ...headers, "Content-Length": length };
  if (response.req.method === "HEAD") {
    response.writeHead(200, head);
    response.end();
    return;
  }
  const iterator = pieces()[Symbol.iterator]();
  const first = iterator.next(); // what is damaged at its beginning is answered as an error
  response.writeHead(200, head);
  await pipeline(Readable.from(continued(first, iterator), { objectMode: true, highWaterMark: 1 }), response);
}

function* continued<Piece>(first: IteratorResult<Piece>, rest: Iterator<Piece>): Generator<Piece> {
  for (let piece = first; !piece.done; piece = rest.next()) yield piece.value;
}
