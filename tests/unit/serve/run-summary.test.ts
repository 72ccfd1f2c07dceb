import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { analyze } from "../../../src/analysis/analyze.js";
import { openHistory } from "../../../src/runs/open-history.js";
import { writeAnalysis } from "../../../src/runs/recorded-run.js";
import { outlinesDocumentSchema, runNoteDocumentSchema } from "../../../src/serve/documents.js";
import { octaveStates } from "../../../src/serve/run-summary.js";
import { type AskedServer, askedServer } from "./asking.js";
import { writeExperiment } from "./written-experiment.js";
import { deadRows, stretchHistory, writeRun, writtenRows } from "./written-run.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-outlines-"));
let server: AskedServer;
let ids: Map<string, string>;

beforeAll(async () => {
  const analysed = writeRun({ folder, id: "analysed", seed: 1 });
  const history = await openHistory(analysed);
  writeAnalysis(analysed, await analyze(history, { workers: 0 }));
  history.close();
  writeRun({ folder, id: "plain", seed: 2 });
  const large = writeRun({ folder, id: "large", seed: 3 });
  stretchHistory(large, [4001, 128, 64]);
  server = await askedServer(folder);
  ids = new Map((await server.shelf()).runs.map(({ run, id }) => [run, id]));
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function outlineOf(...runs: string[]) {
  const asked = runs.map((run) => ids.get(run) ?? run).join(",");
  return (await server.document(`/api/outlines?runs=${asked}`, outlinesDocumentSchema)).outlines;
}

test("a run with an analysis has P of every snapshot, drawn on a logarithmic axis, and its verdict", async () => {
  const [outline] = await outlineOf("analysed");
  expect(outline).toMatchObject({ rows: writtenRows, seconds: 6, verdict: { result: "degenerate" } });
  const P = new Map(outline?.P?.x.map((step, at) => [step, outline.P?.y[at]]));
  expect([P.get(0), P.get(30), P.get(31), P.get(60)]).toEqual([0, 0, deadRows.length, deadRows.length]);
});

test("a run without an analysis has P of some snapshots, with the first and the last, and exact ones", async () => {
  const [outline] = await outlineOf("plain");
  expect(outline?.P?.x.at(0)).toBe(0);
  expect(outline?.P?.x.at(-1)).toBe(60);
  expect(outline?.P?.y).toEqual(outline?.P?.x.map((step) => (step > 30 ? deadRows.length : 0)));
});

test("of a long history at most 16 MiB are read, and of an unknown run nothing", async () => {
  const [outline, ...more] = await outlineOf("large", "nobody");
  expect(more).toEqual([]);
  expect((outline?.P?.x.length ?? 0) * 128 * 64 * 2).toBeLessThan(16 * 2 ** 20);
  expect(outline?.P?.x.at(-1)).toBe(4000);
});

test("an analysis of another number of snapshots is not drawn: some are counted instead", async () => {
  const path = join(folder, "analysed", "analysis.json");
  const before = readFileSync(path, "utf8");
  writeFileSync(path, before.replace('"P":[', '"P":[9,'));
  await using own = await askedServer(folder);
  const document = await own.document(`/api/outlines?runs=${ids.get("analysed")}`, outlinesDocumentSchema);
  writeFileSync(path, before);
  expect(document.outlines[0]?.P?.y).toEqual(document.outlines[0]?.P?.x.map((step) => (step > 30 ? deadRows.length : 0)));
});

test.each([
  [1, 5, [0]],
  [2, 5, [0, 1]],
  [9, 100, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
  [1025, 6, [0, 3, 15, 63, 255, 1024]],
])("of %d snapshots at most about %d are counted, spread by doubling", (states, most, expected) => {
  expect(octaveStates(states, most)).toEqual(expected);
});

test("the list has the arm of a run, and the baseline with the values in which it differs though it is not listed", async () => {
  const own = join(folder, "own");
  writeExperiment(own);
  await using asked = await askedServer(own);
  const { runs } = await asked.shelf();
  expect(runs.map(({ name, arm }) => [name, arm]).sort()).toEqual([
    ["run of plain", "plain"],
    ["run of scaled", "scaled"],
  ]);
  const [first, second] = runs;
  const { runs: listed, baseline } = await asked.shelf(`?search=${encodeURIComponent(first?.name ?? "")}&baseline=${second?.id}`);
  expect(listed.map(({ id }) => id)).toEqual([first?.id]);
  expect(baseline?.id).toBe(second?.id);
  expect([listed[0]?.differs["seed"], baseline?.differs["seed"]]).toEqual([first?.seed, second?.seed]);
});

const note = (id = "") => server.document(`/api/runs/${id}/note`, runNoteDocumentSchema);

async function put(id: string, body: unknown, headers: Record<string, string> = {}) {
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const origin = `http://127.0.0.1:${server.serving.port}`;
  const answer = await server.ask(`/api/runs/${id}/note`, {
    method: "PUT",
    body: bytes,
    headers: { Origin: origin, "Content-Length": String(bytes.length), ...headers },
  });
  return { status: answer.status, document: JSON.parse(String(answer.body)) as { note: string | null; revision: string; error?: string } };
}

test("a note is written, and the one of somebody who has not seen it is refused with the stored one", async () => {
  const id = ids.get("plain") ?? "";
  const { note: before, revision, locked } = await note(id);
  expect([before, revision, locked]).toEqual([null, "", null]);
  const written = await put(id, { note: "loss spikes\nat 400", revision });
  expect(written).toMatchObject({ status: 200, document: { note: "loss spikes\nat 400" } });
  expect(JSON.parse(readFileSync(join(folder, "plain", "notes.json"), "utf8"))).toEqual({ note: "loss spikes\nat 400", tags: [], reproductions: [] });
  expect(await put(id, { note: "mine", revision })).toMatchObject({
    status: 409,
    document: { note: "loss spikes\nat 400", revision: written.document.revision },
  });
  appendFileSync(join(folder, "plain", "notes.json"), "\n");
  expect((await put(id, { note: "mine", revision: written.document.revision })).status).toBe(409); // changed on disk
  expect(await put(id, { note: " ", revision: (await note(id)).revision })).toMatchObject({ status: 200, document: { note: null } });
});

test("a note is refused from another origin, in another form, above its size, and for a run that is not there", async () => {
  const id = ids.get("plain") ?? "";
  const { revision } = await note(id);
  const change = { note: "x", revision };
  const refused = async (body: unknown, headers: Record<string, string> = {}) => (await put(id, body, headers).catch(() => ({ status: 403 }))).status;
  expect(await refused(change, { Origin: "http://evil.example" })).toBe(403);
  expect(await refused("{")).toBe(400);
  expect(await refused({ ...change, tags: ["x"] })).toBe(400);
  expect(await refused({ note: "x".repeat(70_000), revision })).toBe(413);
  expect((await put("0".repeat(20), change)).status).toBe(404);
  expect((await note(id)).note).toBeNull();
});
