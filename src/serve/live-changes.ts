import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { configValues, type JsonValue } from "../config/json-value.js";
import type { Catalogue, ServedRun, Shelf } from "./catalogue.js";
import type { LiveChange, ServedRunRow } from "./documents.js";

/** A run of the page's list, without the differences to others. */
export function servedRow({ id, plan, archive, directory, row }: ServedRun): Omit<ServedRunRow, "differs"> {
  return { id, plan, archive, ...row, run: basename(directory) };
}

/** Runs of the page's list, with the values of the configuration that are not equal in all. */
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

/** Interval for reading the folders while somebody listens. */
const everyMs = 700;
/** Changes that are stored for listeners that reconnect. */
const storedChanges = 500;
const maxListeners = 64;
/** Unread bytes after which a listener is dropped; it reconnects if it is alive. */
const maxWaitingBytes = 256 * 1024;
/** Interval of messages without a change: a page that gets none for longer knows that the server has stopped. */
const beatMs = 500;
const beat = "event: beat\ndata\n\n";

type NumberedChange = { number: number; text: string };

/** Sends changes as server-sent events. A listener that reconnects names the last change it received, and gets the later ones. */
export class LiveChanges {
  readonly #catalogue: Catalogue;
  /** Distinguishes the numbers of different servers. */
  readonly #epoch = randomBytes(4).toString("hex");
  readonly #listeners = new Set<ServerResponse>();
  #changes: NumberedChange[] = [];
  #number = 0;
  #last: Shelf | undefined;
  #timer: NodeJS.Timeout | undefined;
  #beats: NodeJS.Timeout | undefined;

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  listen(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#listeners.size >= maxListeners) return false;
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no" });
    response.write(`retry: 1000\n${this.#missed(request.headers["last-event-id"])}\n`);
    this.#listeners.add(response);
    response.on("close", () => {
      this.#listeners.delete(response);
      if (this.#listeners.size === 0) this.#pause();
    });
    if (this.#timer === undefined) this.#schedule(0);
    this.#beats ??= setInterval(() => this.#send(beat), beatMs).unref();
    return true;
  }

  close(): void {
    this.#pause();
    for (const listener of this.#listeners) listener.destroy();
  }

  /** The changes that a listener has missed; `everything` if they are unknown. */
  #missed(lastId: string | string[] | undefined): string {
    if (lastId === undefined) return this.#numbered("", []);
    const [epoch, number] = String(lastId).split("-");
    const first = this.#changes[0]?.number ?? this.#number + 1;
    const isKnown = epoch === this.#epoch && Number(number) >= first - 1;
    if (!isKnown) return this.#numbered(`data: ${JSON.stringify({ kind: "everything" } satisfies LiveChange)}\n`, []);
    const missed = this.#changes.filter((change) => change.number > Number(number));
    return this.#numbered("", missed);
  }

  /** The changes as text, after the number to reconnect with. */
  #numbered(head: string, changes: readonly NumberedChange[]): string {
    return `id: ${this.#epoch}-${this.#number}\n${head}\n${changes.map(({ text }) => text).join("")}`;
  }

  #pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    clearInterval(this.#beats);
    this.#beats = undefined;
    this.#last = undefined;
    this.#changes = [];
    this.#number++; // changes are not watched while nobody listens, so that a later listener gets everything
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => void this.#look(), ms);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const shelf = await this.#catalogue.shelf().catch(() => undefined); // a folder that cannot be read now may be readable later
    if (this.#timer === undefined) return;
    if (shelf && this.#last) for (const change of changesBetween(this.#last, shelf)) this.#add(change);
    if (shelf) this.#last = shelf;
    this.#schedule(everyMs);
  }

  #add(change: LiveChange): void {
    const number = ++this.#number;
    const text = `id: ${this.#epoch}-${number}\ndata: ${JSON.stringify(change)}\n\n`;
    this.#changes.push({ number, text });
    if (this.#changes.length > storedChanges) this.#changes.shift();
    this.#send(text);
  }

  #send(text: string): void {
    for (const listener of this.#listeners) {
      if (listener.writableLength > maxWaitingBytes) listener.destroy();
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
