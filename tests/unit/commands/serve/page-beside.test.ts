import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PageBeside } from "../../../../src/commands/serve/page-beside.js";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { ask } from "../../serve/asking.js";
import { hearStderr } from "../hear-stderr.js";

const said = hearStderr();
beforeEach(() => {
  vi.stubEnv("SSH_CONNECTION", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test("it is served once somebody wants to see it, once, and no longer than what it stands beside", async () => {
  const page = new PageBeside(temporaryDirectory(), new Terminal({ color: false }));
  expect(said.text).toBe("");
  const [first, second] = await Promise.all([page.start(), page.start()]);
  expect(second).toBe(first);
  expect(said.text.match(/Watch it at/g)).toHaveLength(1);
  expect(said.text).toContain(first.url);
  expect((await ask(first.port, "/")).status).toBe(401); // without the token
  await page[Symbol.asyncDispose]();
  await expect(ask(first.port, "/")).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("one that nobody wanted to see has nothing to end", async () => {
  await new PageBeside("/nowhere", new Terminal({ color: false }))[Symbol.asyncDispose]();
});
