import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** The page may load only files of this server, has no inline scripts or styles, and cannot be framed. */
const contentPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A page with one inline style, which is named by its digest. */
const refusalPolicy = (style: string) =>
  `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

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

/** Why a browser gets nothing, and what its user can do. */
export interface Refusal {
  readonly status: 401 | 403 | 421;
  readonly message: string;
}

const refusalTitles: Readonly<Record<Refusal["status"], string>> = {
  401: "This page needs its access token",
  403: "Access refused",
  421: "This is another address",
};

/** The style of a refusal: that of the page, in the colours of the system, as it runs no script. */
export function refusalStyle(stylesheet: string): string {
  const dark = /:root\[data-theme="?dark"?\]\s*\{([^}]*)\}/.exec(stylesheet)?.[1];
  return dark === undefined ? stylesheet : `${stylesheet}@media (prefers-color-scheme:dark){:root{${dark}}}`;
}

/** Refuse a request: a browser that opens a page gets one, everything else a line of text. */
export function sendRefusal(response: ServerResponse, { status, message }: Refusal, style: string): void {
  if (!(response.req.headers.accept ?? "").includes("text/html")) {
    sendText(response, status, message);
    return;
  }
  response.setHeader("Content-Security-Policy", refusalPolicy(style));
  const title = refusalTitles[status];
  sendBytes(
    response,
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${title} · bh-bridge</title>
<style>${style}</style>
</head>
<body>
<main class="refused">
<h1>${title}</h1>
<p>${message}.</p>
<ul>
<li>The address is in the terminal that runs <code>bh-bridge serve</code>, and ends in <code>/?token=…</code></li>
<li>Press <code>o</code> in that terminal to open it in your browser.</li>
<li>Every start of the server has a new token. Earlier addresses and bookmarks stop working.</li>
</ul>
<p class="status-code">HTTP ${status}</p>
</main>
</body>
</html>
`,
    "text/html; charset=utf-8",
    status,
  );
}
