import { once } from "node:events";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LiveChange, liveChangeSchema } from "../../../src/serve/documents.js";
import { type AskedServer, askedServer } from "./asking.js";
import { writeRun } from "./written-run.js";

let folder: string;
let server: AskedServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "bh-bridge-changes-"));
  writeRun({ folder, id: "first" });
  server = await askedServer(folder);
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Somebody who listens; `next` is the next change. */
interface Listener extends Disposable {
  next(): Promise<LiveChange>;
  /** Number of beats, which show that the server is there. */
  beats(): number;
  /** The id of what came last, to come back with. */
  lastId(): string;
}

async function listen(lastId?: string): Promise<Listener> {
  const headers = { Cookie: server.cookie, ...(lastId !== undefined && { "Last-Event-ID": lastId }) };
  const asked = request({ host: "127.0.0.1", port: server.serving.port, path: "/api/changes", headers, agent: false }).end();
  const [response] = await once(asked, "response");
  let text = "";
  let read = 0;
  response.setEncoding("utf8");
  response.on("data", (piece: string) => {
    text += piece;
  });
  response.on("error", () => undefined);
  await once(response, "data");
  const found = () => [...text.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => liveChangeSchema.parse(JSON.parse(data)));
  return {
    async next() {
      for (;;) {
        const change = found()[read];
        if (change) {
          read++;
          return change;
        }
        await once(response, "data");
      }
    },
    beats: () => text.split("event: beat\n").length - 1,
    lastId: () => [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? "",
    [Symbol.dispose]: () => asked.destroy(),
  };
}

test("a new run, a run that goes on and one that is removed are told", async () => {
  using listener = await listen();
  await new Promise((resolve) => setTimeout(resolve, 1500)); // the shelf has been seen once
  const second = writeRun({ folder, id: "second", status: "running" });
  const added = await listener.next();
  expect(added).toMatchObject({ kind: "run", run: { name: "second", status: "interrupted" } });
  appendFileSync(join(second, "events.jsonl"), "{}\n");
  expect(await listener.next()).toMatchObject({ kind: "run", run: { name: "second" } });
  rmSync(second, { recursive: true });
  expect(await listener.next()).toMatchObject({ kind: "gone" });
});

test("a listener gets beats while nothing changes, from which no change is read", async () => {
  using listener = await listen();
  await expect.poll(() => listener.beats(), { timeout: 10_000 }).toBeGreaterThan(2);
  writeRun({ folder, id: "second" });
  expect(await listener.next()).toMatchObject({ kind: "run", run: { name: "second" } });
});

test("whoever comes back while others listen gets what came meanwhile, and nothing twice", async () => {
  using stays = await listen();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  writeRun({ folder, id: "second" });
  await stays.next();
  const away = stays.lastId();
  writeRun({ folder, id: "third" });
  await stays.next();
  using back = await listen(away);
  expect(await back.next()).toMatchObject({ kind: "run", run: { name: "third" } });
});

test.each(["0000-0", "nonsense", ""])("whoever comes back with %j, of another server, is told to ask for everything", async (lastId) => {
  using listener = await listen(lastId);
  expect(await listener.next()).toEqual({ kind: "everything" });
});

test("whoever comes back after nobody listened is told to ask for everything", async () => {
  const first = await listen();
  const away = first.lastId();
  first[Symbol.dispose]();
  await new Promise((resolve) => setTimeout(resolve, 200));
  using listener = await listen(away);
  expect(await listener.next()).toEqual({ kind: "everything" });
});
