import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  basisDocumentSchema,
  censusOfStateDocumentSchema,
  historyDocumentSchema,
  overlayDocumentSchema,
  rowPathDocumentSchema,
  seriesDocumentSchema,
  servedRunDocumentSchema,
  tokensDocumentSchema,
} from "../../../src/serve/documents.js";
import { TrackedTokens } from "../../../src/serve/state-measures.js";
import { historyOf } from "../figures/run-of-states.js";
import { type AskedServer, askedServer } from "./asking.js";
import { deadRows, stateOf, stretchHistory, writeRun, writtenLoss, writtenRows } from "./written-run.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-api-"));
let server: AskedServer;

beforeAll(async () => {
  writeRun({ folder, id: "a", seed: 1 });
  writeRun({ folder, id: "b", seed: 2, status: "stopped" });
  server = await askedServer(folder);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** The id of a run, once the folder has been read again since the run was written. */
async function idOf(run: string): Promise<string> {
  const find = async () => (await server.shelf()).runs.find((each) => each.run === run)?.id;
  await expect.poll(find).toBeDefined();
  return (await find()) ?? "none";
}

test("runs are listed with what differs between them, filtered, searched and sorted in the words of bh-bridge runs", async () => {
  const { runs, total } = await server.shelf("?sort=seed");
  expect(total).toBe(2);
  expect(runs.map(({ run }) => run)).toEqual(["a", "b"]);
  expect(runs[0]?.differs).toEqual({ seed: 1 });
  expect((await server.shelf("?sort=-seed")).runs.map(({ run }) => run)).toEqual(["b", "a"]);
  expect((await server.shelf("?where=seed>1")).runs.map(({ run }) => run)).toEqual(["b"]);
  expect((await server.shelf("?where=status:stopped")).runs.map(({ run }) => run)).toEqual(["b"]);
  expect((await server.shelf("?search=A")).runs.map(({ run }) => run)).toEqual(["a"]);
});

test("a condition that is none is told with what is wrong", async () => {
  const { status, body } = await server.ask("/api/runs?where=sedd:1");
  expect(status).toBe(400);
  expect(JSON.parse(String(body)).error).toContain("seed");
});

test("a run has its configuration, what differs from its preset, its environment and the command that goes on", async () => {
  const run = await server.document(`/api/runs/${await idOf("b")}`, servedRunDocumentSchema);
  expect(run).toMatchObject({ name: "b", status: "stopped", environment: { device: "cpu" } });
  expect(run.changes).toContainEqual({ path: "training.max_steps", before: 800, after: 60 });
  expect(run.next).toContain("bh-bridge resume");
  expect(run.result?.census).toMatchObject({ C: 1, P: deadRows.length });
});

test("the lines of a run are those of its files: losses of its log, black holes of its states", async () => {
  const { series, step, planned } = await server.document(`/api/runs/${await idOf("a")}/series`, seriesDocumentSchema);
  expect([step, planned]).toEqual([60, 60]);
  const line = (name: string) => series.find((each) => each.name === name);
  expect(line("loss")?.x).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
  expect(line("loss")?.y[9]).toBeCloseTo(writtenLoss(10, 1), 12);
  expect(line("P")?.x.length).toBe(61);
  expect(line("P")?.y[30]).toBe(0);
  expect(line("P")?.y[31]).toBe(deadRows.length);
  expect(line("C")?.y[60]).toBe(1);
  expect(line("unique")?.y[60]).toBe(writtenRows - deadRows.length + 1);
  const rates = line("rate")?.y ?? [];
  expect(rates.length).toBeGreaterThan(0);
  for (const rate of rates) expect(rate).toBeCloseTo(10, 5); // a tenth of a second a step
});

test("only what came after a step is asked for", async () => {
  const { series } = await server.document(`/api/runs/${await idOf("a")}/series?from=50&to=55`, seriesDocumentSchema);
  expect(series.find(({ name }) => name === "loss")?.x).toEqual([50, 51, 52, 53, 54, 55]);
});

test("several runs are laid over each other", async () => {
  const ids = [await idOf("a"), await idOf("b")];
  const { lines } = await server.document(`/api/overlay?name=loss&runs=${ids.join(",")},unknown`, overlayDocumentSchema);
  expect(lines.map(({ id }) => id)).toEqual(ids);
  expect(lines[1]?.y[0]).toBeCloseTo(writtenLoss(1, 2), 12);
});

test("the states are the exact bytes of the file, one, several, or every tenth", async () => {
  const id = await idOf("a");
  const history = await server.document(`/api/runs/${id}/history`, historyDocumentSchema);
  expect(history).toMatchObject({ states: 61, tokens: writtenRows, dims: 8, dtype: "BF16", stateBytes: writtenRows * 16, steps: null, ids: null });
  expect(history.dead).toEqual(deadRows);
  expect(history.texts[65]).toBe("A");
  const read = async (query: string) => (await server.ask(`/api/runs/${id}/states?${query}`)).body;
  expect(await read("first=7")).toEqual(Buffer.from(stateOf(7, 60, 8)));
  expect(await read("first=30&count=3")).toEqual(Buffer.concat([30, 31, 32].map((state) => stateOf(state, 60, 8))));
  expect(await read("first=5&count=100&every=20")).toEqual(Buffer.concat([5, 25, 45].map((state) => stateOf(state, 60, 8))));
});

test("the black holes of a state name their tokens", async () => {
  const census = await server.document(`/api/runs/${await idOf("a")}/census?state=60`, censusOfStateDocumentSchema);
  expect(census).toMatchObject({ step: 60, C: 1, P: deadRows.length, holes: [{ population: deadRows.length, tokens: deadRows }] });
});

test("the lives of the tokens have the black hole that forms halfway, and the rows of its tokens first", async () => {
  const lives = await server.document(`/api/runs/${await idOf("a")}/tokens`, tokensDocumentSchema);
  expect(lives).toMatchObject({ first: 0, last: 60, every: 1, tokens: writtenRows, held: 1, holes: { count: 1, largest: [deadRows.length] } });
  expect(lives.order.slice(0, deadRows.length)).toEqual(deadRows);
  const { row, from, to, hole } = lives.spans;
  const spansOf = (place: number) => row.flatMap((each, at) => (each === place ? [[from[at], to[at], hole[at]]] : []));
  for (const place of deadRows.keys()) {
    expect(spansOf(place)).toEqual([
      [0, 30, 0],
      [31, 60, 1],
    ]);
  }
  expect(spansOf(deadRows.length)).toEqual([[0, 60, 0]]);
});

test("the lives of a growing history are those of the whole one, read anew only from where they ended", async () => {
  const growing = new TrackedTokens();
  const read: number[] = [];
  const states = [0, 0, 1, 0, 1].map((moved) => [[1], [1], [1 + moved]]);
  const open = (count: number) => async () => {
    const history = historyOf(states.slice(0, count));
    const noted = (first: number, number: number, target: Uint8Array) => {
      read.push(first);
      history.read(first, number, target);
    };
    return { ...history, read: noted };
  };
  await growing.of(open(2));
  const { lives } = await growing.of(open(5));
  expect(read).toEqual([0, 1, 2, 3, 4]);
  expect(lives).toEqual((await new TrackedTokens().of(open(5))).lives);
  expect([...lives.from.subarray(lives.start[2], lives.start[3])]).toEqual([0, 2, 3, 4]);
  expect((await growing.of(open(3))).lives.states).toBe(3);
});

test("the directions of the path are orthonormal", async () => {
  const { directions, components, mean } = await server.document(`/api/runs/${await idOf("a")}/basis`, basisDocumentSchema);
  expect([components, mean.length, directions.length]).toEqual([8, 8, 64]);
  for (let a = 0; a < 8; a++) {
    for (let b = 0; b <= a; b++) {
      const product = mean.reduce((sum, _, dim) => sum + (directions[a * 8 + dim] ?? 0) * (directions[b * 8 + dim] ?? 0), 0);
      expect(product).toBeCloseTo(a === b ? 1 : 0, 5);
    }
  }
});

test("two runs share one basis, whichever is named first, and a row's path is in it; runs of other sizes are refused", async () => {
  const [a, b] = [await idOf("a"), await idOf("b")];
  const basis = await server.document(`/api/runs/${a}/basis?beside=${b}`, basisDocumentSchema);
  expect(await server.document(`/api/runs/${b}/basis?beside=${a}`, basisDocumentSchema)).toEqual(basis);
  const { places } = await server.document(`/api/runs/${b}/path?row=5&points=20&beside=${a}`, rowPathDocumentSchema);
  const words = new Uint16Array(stateOf(60, 60, 8).buffer).slice(5 * 8, 6 * 8);
  const row = new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer);
  const along = basis.mean.reduce((sum, center, dim) => sum + (basis.directions[dim] ?? 0) * ((row[dim] ?? 0) - center), 0);
  expect(places.at(-1)?.[0]).toBeCloseTo(along, 9);
  const elsewhere = join(folder, "elsewhere"); // no run of the folder itself
  writeRun({ folder: elsewhere, id: "wide", dims: 16 });
  await using wide = await askedServer(folder, elsewhere);
  const wideId = (await wide.shelf()).runs.find(({ run }) => run === "wide")?.id;
  const refused = await wide.ask(`/api/runs/${a}/basis?beside=${wideId}`);
  expect(refused.status).toBe(400);
  expect(JSON.parse(String(refused.body)).error).toContain("128 tokens × 16 dimensions");
  expect((await server.ask(`/api/runs/${a}/basis?beside=nobody`)).status).toBe(404);
});

test("the way of a row ends where its last state lies in the basis", async () => {
  const id = await idOf("a");
  const { directions, mean } = await server.document(`/api/runs/${id}/basis`, basisDocumentSchema);
  const { states, places } = await server.document(`/api/runs/${id}/path?row=5&points=20`, rowPathDocumentSchema);
  expect([states.length, states[0], states.at(-1)]).toEqual([20, 0, 60]);
  // bfloat16 is the upper half of a float32.
  const words = new Uint16Array(stateOf(60, 60, 8).buffer).slice(5 * 8, 6 * 8);
  const row = new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer);
  const along = Array.from({ length: 8 }, (_, axis) =>
    mean.reduce((sum, center, dim) => sum + (directions[axis * 8 + dim] ?? 0) * ((row[dim] ?? 0) - center), 0),
  );
  for (const [axis, place] of (places.at(-1) ?? []).entries()) expect(place).toBeCloseTo(along[axis] ?? 0, 9);
  expect((await server.ask(`/api/runs/${id}/path?row=128`)).status).toBe(400);
});

test("a history of 7.7 GB is described, read at its end and counted in part, and its reader stays small", async () => {
  const directory = writeRun({ folder, id: "huge" });
  stretchHistory(directory, [6001, 10_000, 64]);
  try {
    const id = await idOf("huge");
    const before = process.memoryUsage().rss;
    const history = await server.document(`/api/runs/${id}/history`, historyDocumentSchema);
    expect(history).toMatchObject({ states: 6001, tokens: 10_000, stateBytes: 1_280_000 });
    const { body } = await server.ask(`/api/runs/${id}/states?first=6000`);
    expect(body.length).toBe(1_280_000);
    expect(body.readUInt16LE(2)).toBe(0x3f81);
    const { notes, series } = await server.document(`/api/runs/${id}/series`, seriesDocumentSchema);
    expect(notes.join()).toContain("1 of 32 states"); // 256 MB of 7.7 GB
    expect(series.find(({ name }) => name === "P")?.y[0]).toBe(10_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a log that grows is read on, one that was cut back and written anew is read anew", async () => {
  const directory = writeRun({ folder, id: "live", steps: 20 });
  try {
    const id = await idOf("live");
    const path = join(directory, "events.jsonl");
    const text = readFileSync(path, "utf8");
    const lines = text.split("\n");
    const steps = async () => {
      const { series } = await server.document(`/api/runs/${id}/series`, seriesDocumentSchema);
      return series.find(({ name }) => name === "loss")?.y.length;
    };
    writeFileSync(path, `${lines.slice(0, 11).join("\n")}\n${lines[11]?.slice(0, 20)}`); // the last line is being written
    expect(await steps()).toBe(10);
    appendFileSync(path, `${lines[11]?.slice(20)}\n`);
    expect(await steps()).toBe(11);
    truncateSync(path, lines.slice(0, 6).join("\n").length + 1);
    expect(await steps()).toBe(5);
    writeFileSync(path, text.replaceAll('"wall":1000000000', '"wall":1000000900')); // as long as before, and another
    expect(await steps()).toBe(20);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("figures for papers are drawn as SVG, PNG and CSV, and an unknown one is told the names", async () => {
  const id = await idOf("a");
  const svg = await server.ask(`/api/runs/${id}/figure?name=loss`);
  expect(svg.headers["content-type"]).toBe("image/svg+xml");
  expect(svg.headers["content-disposition"]).toBe('attachment; filename="loss.svg"');
  expect(String(svg.body)).toMatch(/^<svg/);
  expect((await server.ask(`/api/runs/${id}/figure?name=loss&as=png`)).body.subarray(1, 4).toString()).toBe("PNG");
  expect(String((await server.ask(`/api/runs/${id}/figure?name=loss&as=csv`)).body)).toContain(`line,60,${writtenLoss(60, 1)}`);
  expect(JSON.parse(String((await server.ask(`/api/runs/${id}/figure?name=los`)).body)).error).toContain("black-holes");
});

test("a run that was deleted since it was listed is not found, whatever is asked of it, and the others are still served", async () => {
  const directory = writeRun({ folder, id: "deleted", seed: 9 });
  const id = await idOf("deleted");
  const what = ["/history", "/census?state=3", "/path?row=1", "/states", "/file?name=run.json", "/figure?name=loss"];
  await server.shelf(); // a list that is fresh: the run is found in it after it was deleted
  rmSync(directory, { recursive: true });
  const answers = await Promise.all(what.map((each) => server.ask(`/api/runs/${id}${each}`)));
  expect(answers.map(({ status }) => status)).toEqual(what.map(() => 404));
  for (const { body } of answers) expect(String(body)).not.toContain("ENOENT");
  expect((await server.ask(`/api/runs/${await idOf("a")}/history`)).status).toBe(200);
});
