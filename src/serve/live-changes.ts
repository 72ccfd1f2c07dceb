import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { configValues, type JsonValue } from "../config/json-value.js";
import type { Catalogue, ServedRun, Shelf } from "./catalogue.js";
import type { LiveChange, ServedRunRow } from "./documents.js";

/** A run as the page lists it, without what differs from others. */
export function servedRow({ id, plan, archive, directory, row }: ServedRun): Omit<ServedRunRow, "differs"> {
  return { id, plan, archive, ...row, run: basename(directory) };
}

/** Runs as the page lists them: of their configurations, what is not the same in all. */
export function servedRows(runs: readonly ServedRun[]): ServedRunRow[] {
  const values = runs.map(({ config }) => (config ? configValues(config) : new Map<string, JsonValue>()));
  const paths = [...new Set(values.flatMap((each) => [...each.keys()]))];
  const differing = paths.filter((path) => {
    const first = values[0]?.get(path);
    return path !== "name" && values.some((each) => !isDeepStrictEqual(each.get(path), first));
  });
  return runs.map((run, at) => {
    const own = differing.flatMap((path): [string, JsonValue][] => {
      const value = values[at]?.get(path);
      return value === undefined ? [] : [[path, value]];
    });
    return { ...servedRow(run), differs: Object.fromEntries(own) };
  });
}

/** How often the folders are looked at, while somebody listens. */
const everyMs = 700;
/** Changes that are kept for listeners who come back. */
const keptChanges = 500;
/** Listeners at a time: a page needs one. */
const mostListeners = 64;
/** A listener whose bytes pile up does not read, and is dropped: it comes back by itself if it lives. */
const mostWaitingBytes = 256 * 1024;
/** So often something is sent though nothing has changed, so that a connection that is dead is noticed. */
const heartbeatMs = 15_000;

interface NumberedChange {
  number: number;
  text: string;
}

/** Tells listeners what changes, as server-sent events. Whoever was away says which change it saw last, and gets what came since. */
export class LiveChanges {
  readonly #catalogue: Catalogue;
  /** Numbers of one server mean nothing to another. */
  readonly #epoch = randomBytes(4).toString("hex");
  readonly #listeners = new Set<ServerResponse>();
  #changes: NumberedChange[] = [];
  #number = 0;
  #last: Shelf | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sentAt = 0;

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  /** Let a request listen. @returns whether there is room. */
  listen(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#listeners.size >= mostListeners) return false;
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no" });
    response.write(`retry: 1000\n${this.#missed(request.headers["last-event-id"])}\n`);
    this.#listeners.add(response);
    response.on("close", () => {
      this.#listeners.delete(response);
      if (this.#listeners.size === 0) this.#pause();
    });
    if (this.#timer === undefined) this.#schedule(0);
    return true;
  }

  /** End all streams. */
  close(): void {
    this.#pause();
    for (const listener of this.#listeners) listener.destroy();
  }

  /** What a listener has missed; everything, where that cannot be said. */
  #missed(lastId: string | string[] | undefined): string {
    if (lastId === undefined) return this.#numbered("", []);
    const [epoch, number] = String(lastId).split("-");
    const first = this.#changes[0]?.number ?? this.#number + 1;
    const isKnown = epoch === this.#epoch && Number(number) >= first - 1;
    if (!isKnown) return this.#numbered(`data: ${JSON.stringify({ kind: "everything" } satisfies LiveChange)}\n`, []);
    return this.#numbered(
      "",
      this.#changes.filter((change) => change.number > Number(number)),
    );
  }

  /** The changes as text, and the number to come back with. */
  #numbered(head: string, changes: readonly NumberedChange[]): string {
    return `id: ${this.#epoch}-${this.#number}\n${head}\n${changes.map(({ text }) => text).join("")}`;
  }

  #pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#last = undefined;
    // What changes while nobody looks is not seen: whoever comes back learns everything anew.
    this.#changes = [];
    this.#number++;
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => void this.#look(), ms);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const shelf = await this.#catalogue.shelf().catch(() => undefined); // a folder that cannot be read now may be read again
    if (this.#timer === undefined) return;
    if (shelf && this.#last) for (const change of changesBetween(this.#last, shelf)) this.#add(change);
    if (shelf) this.#last = shelf;
    if (performance.now() - this.#sentAt > heartbeatMs) this.#send(": still here\n\n");
    this.#schedule(everyMs);
  }

  #add(change: LiveChange): void {
    const number = ++this.#number;
    const text = `id: ${this.#epoch}-${number}\ndata: ${JSON.stringify(change)}\n\n`;
    this.#changes.push({ number, text });
    if (this.#changes.length > keptChanges) this.#changes.shift();
    this.#send(text);
  }

  #send(text: string): void {
    this.#sentAt = performance.now();
    for (const listener of this.#listeners) {
      if (listener.writableLength > mostWaitingBytes) listener.destroy();
      else listener.write(text);
    }
  }
}

function changesBetween(before: Shelf, after: Shelf): LiveChange[] {
  const known = new Map<string, ServedRun>(before.runs.map((run) => [run.id, run]));
  const now = new Set(after.runs.map(({ id }) => id));
  const changed = after.runs.filter((run) => known.get(run.id) !== run);
  const arePlans = before.plans.map(({ id }) => id).join() !== after.plans.map(({ id }) => id).join() || changed.some(({ plan }) => plan !== null);
  return [
    ...changed.map((run): LiveChange => ({ kind: "run", run: servedRow(run) })),
    ...before.runs.filter(({ id }) => !now.has(id)).map(({ id }): LiveChange => ({ kind: "gone", id })),
    ...(arePlans ? [{ kind: "plans" } as const] : []),
  ];
}
