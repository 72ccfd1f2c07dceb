import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test, vi } from "vitest";
import { openInBrowser } from "../../src/commands/serve/open-in-browser.js";
import { serveDocumentSchema } from "../../src/serve/documents.js";
import { serve } from "../../src/serve/server.js";
import { browserProgram, openPage, startBrowser } from "./browser.js";
import { eventually, start, temporaryFolder } from "./program.js";

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
  expect(String(stderr)).toContain(`Port ${port} is in use: using port ${own}`);
  expect(String(stderr)).toMatch(new RegExp(`ssh -N -L ${own}:127\\.0\\.0\\.1:${own} \\S+@10\\.0\\.0\\.1`));
  taken.close();
  const everywhere = await served(["--port", "0", "--host", "0.0.0.0"]);
  everywhere.program.kill("SIGTERM");
  expect(String((await everywhere.program).stderr)).toContain("Warning: other machines can reach the page at 0.0.0.0");
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
  expect(String(stderr)).toContain("cannot listen on 203.0.113.7");
});

test.skipIf(!browserProgram)("the browser that is opened is let in, and the token is in the arguments of no program", async () => {
  const [programs, told] = [join(folder.path, "programs"), join(folder.path, "told")];
  mkdirSync(programs);
  for (const name of ["xdg-open", "open"]) writeFileSync(join(programs, name), `#!/bin/sh\nprintf %s "$*" >'${told}'\n`, { mode: 0o755 });
  vi.stubEnv("PATH", `${programs}:${process.env["PATH"]}`);
  await using serving = await serve({ folders: [folder.path], port: 0, host: "127.0.0.1" });
  const failures: string[] = [];
  const opened = openInBrowser(serving.url, () => failures.push("no browser"));
  expect(await eventually(() => existsSync(told) && readFileSync(told, "utf8") !== "", 10_000)).toBe(true);
  vi.unstubAllEnvs();
  const file = readFileSync(told, "utf8");
  expect(file).not.toContain(serving.url.split("token=")[1]);
  expect([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
  const browser = await startBrowser();
  try {
    await using led = await openPage(browser, pathToFileURL(file).href);
    await led.page.waitForURL(`http://127.0.0.1:${serving.port}/`);
    await expect.poll(() => led.page.getByRole("table").or(led.page.getByRole("heading")).count()).toBeGreaterThan(0);
    expect(await led.page.evaluate(() => fetch("/api/runs").then(({ status }) => status))).toBe(200);
  } finally {
    await browser.close();
  }
  opened[Symbol.dispose]();
  expect(existsSync(file)).toBe(false);
  expect(failures).toEqual([]);
});

test("serve --open opens the page by a file that leads there", async () => {
  const [programs, told] = [join(folder.path, "openers"), join(folder.path, "opened")];
  mkdirSync(programs);
  for (const name of ["xdg-open", "open"]) writeFileSync(join(programs, name), `#!/bin/sh\ncp "$1" '${told}'\n`, { mode: 0o755 });
  const program = start(["serve", "--port", "0", "--open", "--out", folder.path], { env: { PATH: `${programs}:${process.env["PATH"]}` } });
  expect(await eventually(() => existsSync(told) && readFileSync(told, "utf8").includes("/html>"), 20_000)).toBe(true);
  program.kill("SIGTERM");
  const { stdout } = await program;
  expect(readFileSync(told, "utf8")).toContain(String(stdout).trim());
});
