import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PageBeside } from "../../../../src/commands/serve/page-beside.js";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { ask } from "../../serve/asking.js";

let said = "";
beforeEach(() => {
  said = "";
  vi.stubEnv("SSH_CONNECTION", "");
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test("it is served once somebody wants to see it, once, and no longer than what it stands beside", async () => {
  const page = new PageBeside(temporaryDirectory(), new Terminal({ color: false }));
  expect(said).toBe("");
  const [first, second] = await Promise.all([page.start(), page.start()]);
  expect(second).toBe(first);
  expect(said.match(/Watch it at/g)).toHaveLength(1);
  expect(said).toContain(first.url);
  expect((await ask(first.port, "/")).status).toBe(401); // without the token
  await page[Symbol.asyncDispose]();
  await expect(ask(first.port, "/")).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("one that nobody wanted to see has nothing to end", async () => {
  await new PageBeside("/nowhere", new Terminal({ color: false }))[Symbol.asyncDispose]();
});
