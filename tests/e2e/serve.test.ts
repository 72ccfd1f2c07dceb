import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { afterAll, expect, test } from "vitest";
import { serveDocumentSchema } from "../../src/serve/documents.js";
import { start, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

/** Start `serve`, and wait for its first line on stdout. */
async function served(args: readonly string[], env: Record<string, string> = {}) {
  const program = start(["serve", "--out", folder.path, ...args], { env });
  if (!program.stdout) throw new Error("no stdout");
  const [line] = await once(createInterface(program.stdout), "line");
  return { program, line: String(line) };
}

test.each(["SIGTERM", "SIGINT"] as const)("serve --json prints one line with an address that works, and ends on %s within a second", async (signal) => {
  const { program, line } = await served(["--port", "0", "--json"]);
  const { url } = serveDocumentSchema.parse(JSON.parse(line));
  expect(new URL(url).hostname).toBe("127.0.0.1");
  const answer = await fetch(url, { redirect: "manual" });
  expect(answer.status).toBe(303);
  const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
  const stream = await fetch(new URL("/api/changes", url), { headers: { Cookie: cookie } }); // open while it ends
  expect(stream.status).toBe(200);
  const asked = performance.now();
  program.kill(signal);
  const { exitCode, stdout } = await program;
  expect(exitCode).toBe(0);
  expect(performance.now() - asked).toBeLessThan(3000);
  expect(String(stdout).trim().split("\n")).toEqual([line]);
});

test("a port that is taken is passed over, the warning of another address and the tunnel of SSH are told", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const first = await served(["--port", String(port)], { SSH_CONNECTION: "10.0.0.9 51022 10.0.0.1 22" });
  const own = Number(new URL(first.line).port);
  expect(own).toBeGreaterThan(port);
  first.program.kill("SIGTERM");
  const { stderr } = await first.program;
  expect(String(stderr)).toContain(`Port ${port} is taken: this is port ${own}`);
  expect(String(stderr)).toMatch(new RegExp(`ssh -N -L ${own}:127\\.0\\.0\\.1:${own} \\S+@10\\.0\\.0\\.1`));
  taken.close();
  const everywhere = await served(["--port", "0", "--host", "0.0.0.0"]);
  everywhere.program.kill("SIGTERM");
  expect(String((await everywhere.program).stderr)).toContain("Warning: listening at 0.0.0.0");
});

test.each([
  ["--port", "70000"],
  ["--port", "x"],
])("%s %s is wrong usage", async (...args) => {
  const { exitCode, stderr } = await start(["serve", ...args]);
  expect(exitCode).toBe(2);
  expect(String(stderr)).toContain("whole number from 0 to 65535");
});

test("an address that is not this machine's is an error that says so", async () => {
  const { exitCode, stderr } = await start(["serve", "--host", "203.0.113.7", "--port", "0"]);
  expect(exitCode).toBe(1);
  expect(String(stderr)).toContain("cannot listen at 203.0.113.7");
});
