import { type IncomingHttpHeaders, request } from "node:http";
import type { z } from "zod";
import { type ShelfDocument, shelfDocumentSchema } from "../../../src/serve/documents.js";
import { type Serving, serve } from "../../../src/serve/server.js";

/** What came back. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

interface Asking {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

/** A server over folders, and a way to ask it as the page does. */
export interface AskedServer extends AsyncDisposable {
  serving: Serving;
  /** The cookie that its token became. */
  cookie: string;
  ask(path: string, asking?: Asking): Promise<Answer>;
  /** Ask for a document of a schema. */
  document<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>>;
  /** Ask for the list. */
  shelf(query?: string): Promise<ShelfDocument>;
}

/** Ask a port, byte for byte as it is said: nothing is tidied on the way. */
export function ask(port: number, path: string, { method = "GET", headers = {}, body }: Asking = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }));
      response.on("error", reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

/** Start a server that is already known. */
export async function askedServer(...folders: string[]): Promise<AskedServer> {
  const serving = await serve({ folders, port: 0, host: "127.0.0.1" });
  const { headers } = await ask(serving.port, serving.url.slice(serving.url.indexOf("/?")));
  const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  const known = (path: string, asking: Asking = {}) => ask(serving.port, path, { ...asking, headers: { Cookie: cookie, ...asking.headers } });
  return {
    serving,
    cookie,
    ask: known,
    document: async (path, schema) => schema.parse(JSON.parse(String((await known(path)).body))),
    shelf: async (query = "") => shelfDocumentSchema.parse(JSON.parse(String((await known(`/api/runs${query}`)).body))),
    [Symbol.asyncDispose]: () => serving[Symbol.asyncDispose](),
  };
}
