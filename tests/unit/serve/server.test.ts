import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AskedServer, ask, askedServer } from "./asking.js";
import { stretchHistory, writeRun } from "./written-run.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-serve-"));
const elsewhere = mkdtempSync(join(tmpdir(), "bh-bridge-elsewhere-"));
let server: AskedServer;
let port: number;
let id: string;

beforeAll(async () => {
  writeRun({ folder, id: "first", name: "<script>alert(1)</script>" });
  server = await askedServer(folder);
  ({ port } = server.serving);
  id = (await server.shelf()).runs[0]?.id ?? "";
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
  rmSync(elsewhere, { recursive: true });
});

test("nobody gets anything without the token", async () => {
  for (const path of ["/", "/icon.svg", "/api/runs", `/api/runs/${id}`, `/?token=${"0".repeat(64)}`, "/?token="]) {
    const { status, body } = await ask(port, path);
    expect([401, 403], path).toContain(status);
    expect(String(body)).not.toContain("first");
  }
});

test("a browser without the token gets a page that says what to do, whose only style is the one that its policy names", async () => {
  for (const [path, expected] of [
    ["/", 401],
    ["/?token=x", 403],
    ["/api/runs", 401],
  ] as const) {
    const { status, headers, body } = await ask(port, path, { headers: { Accept: "text/html,*/*" } });
    expect([status, headers["content-type"]]).toEqual([expected, "text/html; charset=utf-8"]);
    const [, style = ""] = /<style>([\s\S]*)<\/style>/.exec(String(body)) ?? [];
    expect(style).toContain("prefers-color-scheme:dark");
    const digest = createHash("sha256").update(style).digest("base64");
    expect(headers["content-security-policy"]).toBe(
      `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    expect(String(body)).toContain("bh-bridge serve");
    expect(String(body)).not.toContain("<script");
  }
  expect((await ask(port, "/")).headers["content-type"]).toBe("text/plain; charset=utf-8");
});

test("a cookie of another value is no cookie", async () => {
  const [name] = server.cookie.split("=");
  const { status } = await ask(port, "/api/runs", { headers: { Cookie: `${name}=${"0".repeat(64)}` } });
  expect(status).toBe(401);
});

test("the token becomes a cookie that scripts cannot read, and leaves the address", async () => {
  const { status, headers } = await ask(port, server.serving.url.slice(server.serving.url.indexOf("/?")));
  expect(status).toBe(303);
  expect(headers.location).toBe("/");
  const [cookie = ""] = headers["set-cookie"] ?? [];
  expect(cookie).toContain("HttpOnly");
  expect(cookie).toContain("SameSite=Strict");
  expect(cookie).not.toContain(server.serving.url.split("token=")[1]);
});

test.each(["evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:80"])("the Host %s is refused", async (Host) => {
  expect((await server.ask("/", { headers: { Host } })).status).toBe(421);
});

test("the Host localhost with the right port is taken", async () => {
  expect((await server.ask("/api/runs", { headers: { Host: `localhost:${port}` } })).status).toBe(200);
});

test.each(["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"])("the Origin %s is refused, to read and to change", async (Origin) => {
  expect((await server.ask("/api/runs", { headers: { Origin } })).status).toBe(403);
  expect((await server.ask(`/api/runs/${id}/stop`, { method: "POST", headers: { Origin } })).status).toBe(403);
});

test("a change without an Origin is refused", async () => {
  expect((await server.ask(`/api/runs/${id}/stop`, { method: "POST" })).status).toBe(403);
});

test("reading never stops a run, and nothing but a stop can be asked for by POST", async () => {
  const headers = { Origin: `http://127.0.0.1:${port}` };
  expect((await server.ask(`/api/runs/${id}/stop`)).status).toBe(405);
  for (const path of ["/", "/api/runs", `/api/runs/${id}`, `/api/runs/${id}/series`])
    expect((await server.ask(path, { method: "POST", headers })).status, path).toBe(405);
  expect((await server.ask(`/api/runs/${id}/stop`, { method: "POST", headers })).status).toBe(409); // nobody trains it
});

test("every answer forbids inline scripts, frames, sniffing and referrers", async () => {
  for (const path of ["/", "/api/runs", "/nothing"]) {
    const { headers } = await server.ask(path);
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.replace("'wasm-unsafe-eval'", "")).not.toContain("unsafe"); // WebAssembly is no script of a text
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["referrer-policy"]).toBe("no-referrer");
  }
});

test.each([
  "/../../../../etc/passwd",
  "/..%2f..%2f..%2fetc%2fpasswd",
  "/assets/../../package.json",
  "/api/runs/..%2f..%2fetc%2fpasswd",
  "/api/runs/../../../etc/passwd",
  "/api/runs/ID/file?name=../../../../etc/passwd",
  "/api/runs/ID/file?name=/etc/passwd",
  "/api/runs/ID/file?name=checkpoints",
  "/api/runs/first",
  "/api/runs/constructor",
  "/api/runs/ID/constructor",
])("the path %s leads nowhere", async (path) => {
  const { status, body } = await server.ask(path.replace("ID", id));
  expect(status).toBe(404);
  expect(String(body)).not.toContain("root:");
});

test("a script in a run's name is text in a document that is no HTML", async () => {
  const { headers, body } = await server.ask("/api/runs");
  expect(headers["content-type"]).toContain("application/json");
  expect(JSON.parse(String(body)).runs[0].name).toBe("<script>alert(1)</script>");
  expect(String((await server.ask("/")).body)).not.toContain("alert(1)");
});

test("a link out of the folder is not followed: neither a run nor a file of one", async () => {
  const secret = writeRun({ folder: elsewhere, id: "secret", name: "secret" });
  symlinkSync(secret, join(folder, "linked"));
  const holed = writeRun({ folder, id: "holed" });
  rmSync(join(holed, "events.jsonl"));
  writeFileSync(join(elsewhere, "private.txt"), "words of nobody else");
  symlinkSync(join(elsewhere, "private.txt"), join(holed, "events.jsonl"));
  try {
    await using own = await askedServer(folder);
    const { runs } = await own.shelf();
    expect(runs.map(({ run }) => run).sort()).toEqual(["first", "holed"]);
    const found = runs.find(({ run }) => run === "holed");
    expect(found?.status).toBe("corrupt");
    expect(found?.problem).toContain("link");
    expect(String((await own.ask(`/api/runs/${found?.id}/file?name=events.jsonl`)).body)).not.toContain("words of nobody");
  } finally {
    rmSync(join(folder, "linked"));
    rmSync(holed, { recursive: true });
  }
});

test.each([
  "states?first=-1",
  "states?first=61",
  "states?first=0&count=999999999",
  "states?count=1e3",
  "series?points=1000000",
  "census?state=99",
  "states?first=__proto__",
])("%s asks for more than there is, and is told so", async (what) => {
  const { status, body } = await server.ask(`/api/runs/${id}/${what}`);
  expect(status).toBe(400);
  expect(JSON.parse(String(body)).error).toMatch(/whole number|states/);
});

test("a request with a body or with long headers is refused", async () => {
  const headers = { Origin: `http://127.0.0.1:${port}`, "Content-Length": "100000" };
  expect((await server.ask(`/api/runs/${id}/stop`, { method: "POST", headers })).status).toBe(413);
  await expect(server.ask("/", { headers: { "X-Long": "x".repeat(40_000) } })).rejects.toThrow(/socket hang up|ECONNRESET|EPIPE/);
});

async function connected(): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

test.each([
  ["say nothing", ""],
  ["send half of a request", `GET /api/runs HTTP/1.1\r\nHost: 127.0.0.1`],
  ["stay open after an answer to nobody in particular", "GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n"],
])("with 600 connections that %s, the user is answered at once, and a page that is open stays open", async (_, said) => {
  const page = await connected();
  page.write(`GET /api/changes HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${server.cookie}\r\n\r\n`);
  await once(page, "data");
  const sockets: Socket[] = [];
  for (let round = 0; round < 3; round++) {
    const opened = await Promise.all(Array.from({ length: 200 }, connected));
    for (const socket of opened) socket.write(said.replace("PORT", String(port)));
    sockets.push(...opened);
    const began = performance.now();
    expect((await server.ask("/api/runs")).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(2000); // a connection that says nothing is dropped after ten seconds
  }
  expect(page.destroyed).toBe(false);
  for (const socket of [page, ...sockets]) socket.destroy();
});

test("a browser that a file led here gets its cookie with a page, as a redirect would not send it along", async () => {
  const path = server.serving.url.slice(server.serving.url.indexOf("/?"));
  const led = await ask(port, path, { headers: { "Sec-Fetch-Site": "cross-site" } });
  expect(led.status).toBe(200);
  expect(led.headers["set-cookie"]?.[0]).toContain("SameSite=Strict");
  expect(String(led.body)).toContain('http-equiv="refresh" content="0; url=/"');
  expect(String(led.body)).not.toContain(path.slice("/?token=".length));
  expect((await ask(port, path, { headers: { "Sec-Fetch-Site": "none" } })).status).toBe(303);
});

test("200 that ask for all states and read none of them cost no memory to speak of, and others are answered", async () => {
  const large = writeRun({ folder, id: "large" });
  stretchHistory(large, [4001, 128, 64]);
  try {
    const { runs } = await server.shelf("?search=large");
    const before = process.memoryUsage().rss;
    const sockets = await Promise.all(Array.from({ length: 200 }, connected));
    for (const socket of sockets) {
      socket.pause();
      socket.write(`GET /api/runs/${runs[0]?.id}/states?count=4000 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${server.cookie}\r\n\r\n`);
    }
    for (let at = 0; at < 5; at++) expect((await server.ask("/api/runs")).status).toBe(200);
    // Sent at once it would be 200 × 64 MB.
    expect(process.memoryUsage().rss - before).toBeLessThan(400e6);
    for (const socket of sockets) socket.destroy();
  } finally {
    rmSync(large, { recursive: true });
  }
});

test("more than 64 do not listen for changes, and a port that is taken is passed over", async () => {
  const sockets = await Promise.all(Array.from({ length: 70 }, connected));
  const first = sockets.map(async (socket) => {
    socket.write(`GET /api/changes HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${server.cookie}\r\n\r\n`);
    const [piece] = await once(socket, "data");
    return String(piece).split(" ")[1];
  });
  const statuses = await Promise.all(first);
  expect(statuses.filter((status) => status === "200").length).toBe(64);
  expect(statuses.filter((status) => status === "503").length).toBe(6);
  for (const socket of sockets) socket.destroy();
});

test("a folder that is not there is an empty shelf", async () => {
  mkdirSync(join(elsewhere, "none"));
  await using own = await askedServer(join(elsewhere, "none"), join(elsewhere, "not-there"));
  expect(await own.shelf()).toMatchObject({ total: 0, runs: [], plans: [] });
});
