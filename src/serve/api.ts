import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { basename } from "node:path";
import { z } from "zod";
import { configValues } from "../config/json-value.js";
import { builtInPath } from "../config/paths-in-config.js";
import { BhBridgeError } from "../errors.js";
import { containedFile, FileBytes } from "../formats/file-bytes.js";
import { itemSizes } from "../formats/matrix.js";
import { chooseRuns } from "../runner/choose-runs.js";
import { runFieldNames } from "../runner/run-row.js";
import { requestStop } from "../runs/run-layout.js";
import { notesRevision, readRunNotes, replaceNote } from "../runs/run-manifest.js";
import { sendBytes, sendDocument, sendFigure, sendPieces, sendText, wholeNumber } from "./answers.js";
import type { Catalogue, ServedRun } from "./catalogue.js";
import type {
  BasisDocument,
  LineQuery,
  OutlinesDocument,
  OverlayDocument,
  RunNoteDocument,
  RunOutline,
  ServedRunDocument,
  ShelfDocument,
} from "./documents.js";
import { DroppedArchives, takesArchive } from "./dropped-archives.js";
import { LiveChanges, servedRows } from "./live-changes.js";
import { PlanFigures, PlanRows, planDocument } from "./plan-view.js";
import { downloads, runDocument, runOutline } from "./run-summary.js";
import { RunView, SharedBases } from "./run-view.js";

/** Maximum size of the states in one response, and of each piece. */
const maxBytes = 64 * 2 ** 20;
const pieceBytes = 128 * 1024;
const maxPoints = 20_000;
const maxLines = 200;
/** Steps that a browser trains in a few minutes. */
const mostRetrainedSteps = 2000;
/** Maximum number of cached views, each of which may hold some megabytes. */
const cachedViews = 24;

type Asked = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly query: URLSearchParams };

/** The API of the page: read access by id to a catalogue of runs, to which archives can be added. */
export class Api {
  readonly #catalogue: Catalogue;
  readonly #dropped: DroppedArchives;
  readonly #live: LiveChanges;
  readonly #plans = new PlanRows();
  readonly #figures = new PlanFigures();
  readonly #views = new Map<string, RunView>();
  readonly #sharedBases = new SharedBases();
  readonly #summaries = new WeakMap<ServedRun, Promise<ServedRunDocument>>();
  readonly #outlined = new WeakMap<ServedRun, Promise<RunOutline>>();

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
    this.#dropped = new DroppedArchives(catalogue);
    this.#live = new LiveChanges(catalogue);
  }

  /** @returns false for an unknown address. */
  async answer(path: string, asked: Asked): Promise<boolean> {
    const { request, response } = asked;
    const [kind = "", id, what = "", ...more] = path.split("/");
    if (more.length > 0) return false;
    if (takesArchive(request.method, path)) {
      sendDocument(response, await this.#dropped.take(request, asked.query.get("name") ?? ""), 201);
      return true;
    }
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (!isRead && !(kind === "runs" && ["stop", "note"].includes(what))) {
      sendText(response, 405, "this address is read-only");
      return true;
    }
    if (kind === "runs" && id !== undefined) return this.#answerRun(id, what, asked);
    if (id !== undefined && kind !== "plans") return false;
    if (kind === "runs") sendDocument(response, await this.#shelf(asked));
    else if (kind === "overlay") sendDocument(response, await this.#overlay(asked));
    else if (kind === "outlines") sendDocument(response, await this.#outlines(asked));
    else if (kind === "library") sendBytes(response, readFileSync((await import("../report/retraining.js")).portableLibrary), "application/wasm");
    else if (kind === "text") sendBytes(response, readFileSync(builtInPath()), "application/octet-stream");
    else if (kind === "changes") {
      if (!this.#live.listen(request, response)) sendText(response, 503, "too many listeners");
    } else if (kind === "plans" && id !== undefined && (what === "" || what === "figure")) {
      const plan = await this.#catalogue.plan(id);
      if (!plan) return false;
      if (what === "figure") await sendFigure(response, await this.#figures.of(plan, asked.query.get("name") ?? ""), asked.query);
      else sendDocument(response, await planDocument(plan, await this.#catalogue.shelf(), this.#catalogue.lockHolders));
    } else return false;
    return true;
  }

  close(): void {
    this.#live.close();
    this.#dropped[Symbol.dispose]();
  }

  #viewOf(run: ServedRun): RunView {
    const view = this.#views.get(run.id) ?? new RunView(run.directory);
    this.#views.delete(run.id);
    this.#views.set(run.id, view); // the newest last
    const [oldest] = this.#views.keys();
    if (this.#views.size > cachedViews && oldest !== undefined) this.#views.delete(oldest);
    return view;
  }

  async #shelf({ query }: Asked): Promise<ShelfDocument> {
    const all = await this.#catalogue.shelf();
    const search = (query.get("search") ?? "").toLowerCase();
    const found = all.runs.filter(({ row, directory }) =>
      [row.name, basename(directory), row.note ?? "", ...row.tags].some((text) => text.toLowerCase().includes(search)),
    );
    const chosen = chooseRuns(found, { where: query.getAll("where"), sort: query.get("sort") ?? "-created" });
    const paths = new Set(all.runs.flatMap(({ config }) => (config ? [...configValues(config).keys()] : [])));
    const plans = await this.#plans.of(all, this.#catalogue.lockHolders);
    const baseline = all.runs.find(({ id }) => id === query.get("baseline"));
    const isListed = baseline === undefined || chosen.includes(baseline);
    const rows = servedRows(isListed ? chosen : [...chosen, baseline]).map((row) => ({ ...row, arm: this.#plans.armOf(row) }));
    return {
      schema: "bh-bridge/serve-runs@1",
      total: all.runs.length,
      runs: rows.slice(0, chosen.length),
      plans,
      baseline: rows.find(({ id }) => id === baseline?.id) ?? null,
      fields: [...runFieldNames, ...[...paths].filter((path) => path.includes("."))],
    };
  }

  async #overlay({ query }: Asked): Promise<OverlayDocument> {
    const name = query.get("name") ?? "loss";
    const points = wholeNumber(query, "points", { least: 10, most: maxPoints, usual: 600 });
    const hasClocks = query.get("clocks") === "1";
    const asked = { points, ...smoothing(query) };
    const steps = wholeNumbers(query, "step");
    const { runs } = await this.#catalogue.shelf();
    const views = (query.get("runs") ?? "").split(",").slice(0, maxLines);
    const linesWith = async (queryOf: (index: number) => LineQuery): Promise<OverlayDocument["lines"]> => {
      const lines: OverlayDocument["lines"] = [];
      for (const [index, id] of views.entries()) {
        const run = runs.find((each) => each.id === id);
        const view = run && this.#viewOf(run);
        const line = await view?.line(name, queryOf(index));
        if (view && line) lines.push({ id, ...line, ...(hasClocks && { clock: view.clock() }) });
        await new Promise(setImmediate); // lets other requests proceed
      }
      return lines;
    };
    const lines = await linesWith((index) => ({ ...asked, ...(steps.length > 0 && { step: steps[index] ?? steps[0] ?? 0 }) }));
    const together = query.get("together") === "1" && lines.some(({ isReduced }) => isReduced) ? [...new Set(lines.flatMap(({ x }) => x))] : undefined;
    const aligned = together ? (await linesWith(() => ({ ...asked, steps: together }))).map((line) => ({ ...line, isReduced: true as const })) : lines;
    return { schema: "bh-bridge/serve-overlay@1", name, lines: aligned };
  }

  async #outlines({ query }: Asked): Promise<OutlinesDocument> {
    const ids = (query.get("runs") ?? "").split(",").slice(0, maxLines);
    const { runs } = await this.#catalogue.shelf();
    const outlines: OutlinesDocument["outlines"] = [];
    for (const id of ids) {
      const run = runs.find((each) => each.id === id);
      if (!run) continue;
      const known = this.#outlined.get(run) ?? runOutline(run, run.row.status === "running" ? this.#viewOf(run).clock()?.seconds.at(-1) : undefined);
      this.#outlined.set(run, known);
      outlines.push(await known);
      await new Promise(setImmediate); // lets other requests proceed
    }
    return { schema: "bh-bridge/serve-outlines@1", outlines };
  }

  #summary(run: ServedRun): Promise<ServedRunDocument> {
    const known = this.#summaries.get(run) ?? runDocument(run, this.#viewOf(run).events);
    this.#summaries.set(run, known);
    known.catch(() => this.#summaries.delete(run));
    return known;
  }

  /** The basis of a run, or the one that it shares with the run of `beside`. */
  async #basis(run: ServedRun, query: URLSearchParams): Promise<BasisDocument> {
    const view = this.#viewOf(run);
    const id = query.get("beside");
    if (id === null) return view.basis();
    const other = await this.#catalogue.run(id);
    if (!other) throw new BhBridgeError("RUN_NOT_FOUND", "the run beside it is not here");
    return this.#sharedBases.of({ run, view }, { run: other, view: this.#viewOf(other) });
  }

  readonly #ofRun: Readonly<Record<string, (run: ServedRun, asked: Asked) => Promise<void>>> = {
    "": async (run, { response }) => sendDocument(response, await this.#summary(run)),
    series: async (run, { query, response }) => {
      const points = wholeNumber(query, "points", { least: 10, most: maxPoints, usual: 2000 });
      const part = Object.fromEntries(["from", "to", "step"].flatMap((key) => (query.has(key) ? [[key, wholeNumber(query, key)]] : [])));
      sendDocument(response, await this.#viewOf(run).series(run, { points, ...smoothing(query), ...part }));
    },
    history: async (run, { response }) => sendDocument(response, await this.#viewOf(run).history(run)),
    basis: async (run, { query, response }) => sendDocument(response, await this.#basis(run, query)),
    census: async (run, { query, response }) => sendDocument(response, await this.#viewOf(run).census(wholeNumber(query, "state"))),
    tokens: async (run, { response }) => sendDocument(response, await this.#viewOf(run).tokens(run)),
    path: async (run, { query, response }) => {
      const points = wholeNumber(query, "points", { least: 2, most: 2000, usual: 400 });
      sendDocument(response, await this.#viewOf(run).path(wholeNumber(query, "row"), points, await this.#basis(run, query)));
    },
    states: async (run, asked) => sendStates(this.#viewOf(run), asked),
    note: async (run, asked) => answerNote(run, asked),
    file: async (run, asked) => sendFile(run, asked),
    figure: async (run, asked) => sendRunFigure(run, asked),
    retraining: async (run, asked) => sendRetraining(run, asked),
  };

  async #answerRun(id: string, what: string, asked: Asked): Promise<boolean> {
    const { request, response } = asked;
    const answer = Object.hasOwn(this.#ofRun, what) ? this.#ofRun[what] : undefined;
    const isStop = what === "stop";
    if (!answer && !isStop) return false;
    const run = await this.#catalogue.run(id);
    if (!run) return false;
    if (isStop) {
      if (request.method !== "POST") sendText(response, 405, "use POST to stop a run");
      else if (run.row.status !== "running") sendDocument(response, { error: "this run is not running" }, 409);
      else {
        requestStop(run.directory);
        sendDocument(response, { stopping: true }, 202);
      }
      return true;
    }
    try {
      await answer?.(run, asked);
    } catch (cause) {
      if (existsSync(run.directory)) throw cause; // else it was deleted while it was read
      throw new BhBridgeError("RUN_NOT_FOUND", `${run.directory} was deleted or moved`, { cause });
    }
    return true;
  }
}

/** Maximum length of a note, in bytes of its request. */
const maxNoteBytes = 64 * 1024;
const noteChangeSchema = z.strictObject({ note: z.string(), revision: z.string() });

/** Whether the body of a request is a note. @param path after `/api/`. */
export function takesNote(method: string | undefined, path: string): boolean {
  return method === "PUT" && /^runs\/[^/]+\/note$/.test(path);
}

/** Send the note of a run, or replace it by the one in the body. After a change by somebody else, 409 sends the stored note. */
async function answerNote(run: ServedRun, { request, response }: Asked): Promise<void> {
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (isRead) return sendDocument(response, noteDocument(run));
  if (request.method !== "PUT") return sendText(response, 405, "use PUT to change a note");
  const bytes = Number(request.headers["content-length"] ?? Number.NaN);
  if (!(bytes <= maxNoteBytes)) return sendDocument(response, { error: `a note has at most ${maxNoteBytes} bytes` }, 413);
  const change = noteChangeSchema.safeParse(await bodyOf(request));
  if (!change.success) throw new BhBridgeError("USAGE", "the body must be JSON with note and revision");
  const locked = lockOf(run);
  if (locked !== null) return sendDocument(response, { error: locked }, 403);
  const isReplaced = replaceNote(run.directory, change.data.note, change.data.revision);
  sendDocument(response, noteDocument(run), isReplaced ? 200 : 409);
}

function noteDocument(run: ServedRun): RunNoteDocument {
  const isCorrupt = run.row.status === "corrupt" || run.row.status === "foreign";
  return {
    schema: "bh-bridge/serve-note@1",
    id: run.id,
    note: isCorrupt ? null : readRunNotes(run.directory).note,
    revision: isCorrupt ? "" : notesRevision(run.directory),
    locked: lockOf(run),
  };
}

/** Why the note of a run cannot be changed. */
function lockOf({ row, archive, directory }: ServedRun): string | null {
  if (archive !== null) return `The run comes from ${archive}, which is read-only.`;
  if (row.status === "corrupt") return "The run cannot be read.";
  if (row.status === "foreign") return "It is a log of another program, which is read-only.";
  try {
    accessSync(directory, constants.W_OK);
    return null;
  } catch {
    return "You may not write to the folder of the run.";
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  try {
    return JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch {
    return undefined;
  }
}

async function sendFile({ directory }: ServedRun, { query, response }: Asked): Promise<void> {
  const name = downloads(directory).find((file) => file.name === query.get("name"))?.name;
  if (name === undefined) return sendText(response, 404, "there is no such file to download");
  const file = new FileBytes(containedFile(directory, name));
  try {
    const headers = { "Content-Type": "application/octet-stream", "Content-Disposition": `attachment; filename="${name}"` };
    await sendPieces(response, file.size, headers, function* () {
      for (let at = 0; at < file.size; at += pieceBytes) yield file.read(at, Math.min(pieceBytes, file.size - at), name);
    });
  } finally {
    file.close();
  }
}

/** Send the figure `name` of the run. */
async function sendRunFigure({ directory }: ServedRun, { query, response }: Asked): Promise<void> {
  const { figure, runFigureNames } = await import("../figures/run-figures.js");
  const name = runFigureNames.find((each) => each === query.get("name"));
  if (name === undefined) throw new BhBridgeError("USAGE", `name must be one of ${runFigureNames.join(", ")}`);
  await sendFigure(response, await figure(directory, name), query);
}

/** Send what a browser needs to train the first `steps` steps of a run again. */
async function sendRetraining({ directory }: ServedRun, { query, response }: Asked): Promise<void> {
  const [{ retrainingOf }, { RunSource }] = await Promise.all([import("../report/retraining.js"), import("../figures/runs/run-figure.js")]);
  using source = new RunSource(directory);
  const retraining = await retrainingOf(source, wholeNumber(query, "steps", { least: 1, most: mostRetrainedSteps, usual: 200 }));
  if (retraining === undefined) throw new BhBridgeError("USAGE", "only runs of engine portable have the same bits in a browser");
  if (typeof retraining === "string") throw new BhBridgeError("USAGE", `this run cannot be trained in a browser: ${retraining}`);
  sendDocument(response, retraining);
}

/** Send the bytes of `count` states, every `every`-th from `first` on. */
async function sendStates(view: RunView, { query, response }: Asked): Promise<void> {
  const history = await view.open();
  try {
    const { states, tokens, dims, dtype } = history;
    const stateBytes = tokens * dims * itemSizes[dtype];
    const first = wholeNumber(query, "first", { least: 0, most: states - 1, usual: 0 });
    const every = wholeNumber(query, "every", { least: 1, most: states, usual: 1 });
    const affordable = Math.max(1, Math.floor(maxBytes / stateBytes));
    const wanted = wholeNumber(query, "count", { least: 1, most: affordable, usual: 1 });
    const count = Math.min(wanted, Math.ceil((states - first) / every));
    const together = every === 1 ? Math.max(1, Math.floor(pieceBytes / stateBytes)) : 1;
    await sendPieces(response, count * stateBytes, { "Content-Type": "application/octet-stream" }, function* () {
      for (let at = 0; at < count; at += together) {
        const piece = new Uint8Array(Math.min(together, count - at) * stateBytes);
        history.read(first + at * every, piece.byteLength / stateBytes, piece);
        yield piece;
      }
    });
  } finally {
    history.close();
  }
}

/** Several whole numbers of the query, with commas between them. */
function wholeNumbers(query: URLSearchParams, name: string): number[] {
  const texts = query.get(name)?.split(",") ?? [];
  return texts.map((text) => wholeNumber(new URLSearchParams({ [name]: text }), name));
}

/** How lines are smoothed. @throws {BhBridgeError} `USAGE` if it is neither `auto` nor a weight from 0 to 1. */
function smoothing(query: URLSearchParams): Pick<LineQuery, "smooth"> {
  const text = query.get("smooth");
  if (text === null) return {};
  if (text === "auto") return { smooth: text };
  const smooth = Number(text);
  if (text !== "" && smooth >= 0 && smooth < 1) return { smooth };
  throw new BhBridgeError("USAGE", `smooth must be "auto" or a weight from 0 to below 1, got ${JSON.stringify(text.slice(0, 40))}`);
}
