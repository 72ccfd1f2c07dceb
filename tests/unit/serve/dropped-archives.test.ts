import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { droppedDocumentSchema, servedRunDocumentSchema } from "../../../src/serve/documents.js";
import { type Answer, type AskedServer, askedServer } from "./asking.js";
import { writeExperiment } from "./written-experiment.js";
import { writeRun } from "./written-run.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-drops-"));
const temporary = join(folder, "tmp");
const served = join(folder, "served");
let server: AskedServer;

/** A zip of what lies in the folder, as Python packs it. */
function zipped(name: string, ...parts: string[]): Buffer {
  const path = join(folder, name);
  execFileSync("python3", ["-m", "zipfile", "-c", path, ...parts], { cwd: folder });
  return readFileSync(path);
}

function drop(body: Uint8Array, name: string, headers: Record<string, string> = {}): Promise<Answer> {
  const origin = `http://127.0.0.1:${server.serving.port}`;
  return server.ask(`/api/archives?name=${encodeURIComponent(name)}`, {
    method: "POST",
    headers: { Origin: origin, "Content-Length": String(body.length), ...headers },
    body,
  });
}

beforeAll(async () => {
  for (const path of [temporary, served]) mkdirSync(path);
  vi.stubEnv("TMPDIR", temporary);
  writeRun({ folder, id: "sent", status: "stopped" });
  writeRun({ folder: served, id: "here", seed: 1 });
  server = await askedServer(served);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const run = () => zipped("sent.zip", "sent");

test("a run that is dropped is shown beside the others, says where it came from, and is told of no command that needs its folder", async () => {
  const { status, body } = await drop(run(), 'a "run".zip');
  expect(status).toBe(201);
  const dropped = droppedDocumentSchema.parse(JSON.parse(String(body)));
  expect([dropped.runs.length, dropped.plans.length]).toEqual([1, 0]);
  const { runs } = await server.shelf();
  expect(runs.map(({ run: name, archive }) => [name, archive]).sort()).toEqual([
    ["here", null],
    ["sent", 'a "run".zip'],
  ]);
  const shown = await server.document(`/api/runs/${dropped.runs[0]}`, servedRunDocumentSchema);
  expect(shown).toMatchObject({ run: "sent", status: "stopped", next: null });
  expect(shown.result?.census.rows).toBe(128);
  const again = droppedDocumentSchema.parse(JSON.parse(String((await drop(run(), "b.zip")).body)));
  expect(again.runs, "the same archive again is the one that is there").toEqual(dropped.runs);
});

test("an experiment is one, with its runs", async () => {
  const directory = writeExperiment(folder);
  const name = directory.slice(folder.length + 1);
  const dropped = droppedDocumentSchema.parse(JSON.parse(String((await drop(zipped("experiment.zip", name), "e.zip")).body)));
  expect(dropped).toMatchObject({ runs: [], plans: [expect.any(String)] });
  const { runs, plans } = await server.shelf();
  expect(plans).toHaveLength(1);
  expect(runs.filter(({ plan }) => plan === plans[0]?.id).every(({ archive }) => archive === "e.zip")).toBe(true);
});

test("what is no archive of runs is refused in words, and leaves nothing", async () => {
  const before = readdirSync(temporary).sort();
  writeFileSync(join(folder, "words"), "words");
  for (const [body, words] of [
    [zipped("words.zip", "words"), "x.zip contains no run"],
    [Buffer.from("no zip"), "must end with its directory"],
    [run().subarray(0, -30), "must end with its directory"],
  ] as const) {
    const answer = await drop(body, "x.zip");
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(JSON.parse(String(answer.body)).error).toContain(words);
  }
  expect(readdirSync(temporary).sort()).toEqual(before);
});

test("only a known browser, from this page, may send one", async () => {
  expect((await drop(run(), "x.zip", { Origin: "http://evil.example" })).status).toBe(403);
  expect((await drop(run(), "x.zip", { Cookie: "" })).status).toBe(413);
  expect((await drop(new Uint8Array(), "x.zip", { Cookie: "" })).status).toBe(401);
  expect((await server.ask("/api/archives")).status).toBe(404);
});

test("one that says it is too large is refused before it is sent", async () => {
  const { status, body } = await new Promise<{ status: number; body: string }>((resolve, reject) => {
    const asked = request(
      {
        host: "127.0.0.1",
        port: server.serving.port,
        path: "/api/archives?name=x",
        method: "POST",
        headers: { Cookie: server.cookie, Origin: `http://127.0.0.1:${server.serving.port}`, "Content-Length": String(2 ** 40) },
      },
      (response) => {
        response.setEncoding("utf8").on("data", (piece: string) => {
          resolve({ status: response.statusCode ?? 0, body: piece });
          asked.destroy();
        });
      },
    );
    asked.on("error", reject);
    asked.flushHeaders();
  });
  expect(status).toBe(400);
  expect(body).toContain("name its path to bh-bridge serve");
});

test("all of it goes when the server ends", async () => {
  expect(readdirSync(temporary).length).toBeGreaterThan(0);
  await server[Symbol.asyncDispose]();
  expect(readdirSync(temporary)).toEqual([]);
  expect(existsSync(join(folder, "sent", "run.json")), "what was sent stays where it was").toBe(true);
});
