import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BhBridgeError } from "../errors.js";
import type { Figure } from "../figures/figure.js";

/** The page may load only files of this server, has no inline scripts or styles, and cannot be framed. It may run WebAssembly: engine portable. */
const contentPolicy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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

/** Widths of drawings, in pixels. */
const drawnWidths = { least: 280, most: 2000, usual: 760 } as const;

const figureKinds: Readonly<Record<string, (figure: Figure, width: number) => Promise<{ type: string; content: string | Uint8Array }>>> = {
  svg: async (figure, width) => ({ type: "image/svg+xml", content: (await import("../figures/svg-of-figure.js")).svgOfFigure(figure, { width }) }),
  png: async (figure) => ({ type: "image/png", content: (await import("../figures/svg-of-figure.js")).pngOfFigure(figure) }),
  csv: async (figure) => ({ type: "text/csv; charset=utf-8", content: (await import("../figures/csv-of-figure.js")).csvOfFigure(figure) }),
  drawing: async (figure, width) => ({ type: "image/svg+xml", content: (await import("../figures/svg-of-figure.js")).drawingOfFigure(figure, width) }),
};

/**
 * Send a figure as svg, png or csv, or as the drawing inside a page; `width` is in pixels.
 * @throws {BhBridgeError} `USAGE` for another kind or width.
 */
export async function sendFigure(response: ServerResponse, figure: Figure, query: URLSearchParams): Promise<void> {
  const kind = query.get("as") ?? "svg";
  const draw = Object.hasOwn(figureKinds, kind) ? figureKinds[kind] : undefined;
  if (!draw) throw new BhBridgeError("USAGE", `as must be one of ${Object.keys(figureKinds).join(", ")}`);
  const { type, content } = await draw(figure, wholeNumber(query, "width", drawnWidths));
  if (kind !== "drawing") response.setHeader("Content-Disposition", `attachment; filename="${figure.name}.${kind}"`);
  sendBytes(response, content, type);
}

const anyNumber = { least: 0, most: Number.MAX_SAFE_INTEGER, usual: 0 } as const;

/** A whole number of the query. @throws {BhBridgeError} `USAGE` if it is none or out of range. */
export function wholeNumber(query: URLSearchParams, name: string, { least, most, usual }: { least: number; most: number; usual: number } = anyNumber): number {
  const text = query.get(name);
  if (text === null) return usual;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new BhBridgeError("USAGE", `${name} must be a whole number from ${least} to ${most}, not ${JSON.stringify(text.slice(0, 40))}`);
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
