import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { modelRequest } from "../../src/bridge/model.js";
import { parseRunConfig } from "../../src/config/parse-run-config.js";
import type { PythonSession } from "../../src/python/python-session.js";
import { act, createObject, lightSession } from "./light-session.js";
import { rejectionOf } from "./rejection-of.js";

/** Resolves when a call that says so has begun in Python. */
async function hasBegun(session: PythonSession): Promise<void> {
  await vi.waitFor(() => expect(readFileSync(join(session.folder, "python.log"), "utf8")).toContain("begun"));
}

test("an abort rejects the call at once and ends it in Python, which goes on to the next", async () => {
  const session = await lightSession();
  const reason = new Error("enough");
  const controller = new AbortController();
  const cancelled = rejectionOf(act(session, "spin", controller.signal));
  await hasBegun(session);
  const started = Date.now();
  controller.abort(reason);
  expect(await cancelled).toMatchObject({ code: "ABORTED", message: "saving a model was cancelled", cause: reason });
  await expect(act(session, "nothing")).resolves.toEqual({});
  expect(Date.now() - started).toBeLessThan(1000);
});

test("after a cancelled call a SIGINT that somebody sends by hand still ends a call", async () => {
  const session = await lightSession();
  const controller = new AbortController();
  const cancelled = rejectionOf(act(session, "spin", controller.signal));
  await hasBegun(session);
  controller.abort();
  await cancelled;
  const begun = () => readFileSync(join(session.folder, "python.log"), "utf8").split("begun").length - 1;
  const byHand = rejectionOf(act(session, "spin"));
  await vi.waitFor(() => expect(begun()).toBe(2));
  process.kill(session.environment.pid, "SIGINT");
  expect(await byHand).toMatchObject({ code: "ABORTED" });
});

test("a call that is cancelled while it waits is never begun, and the one before it is not disturbed", async () => {
  const session = await lightSession();
  const running = createObject(session, 1);
  const controller = new AbortController();
  const waiting = rejectionOf(act(session, "os._exit", controller.signal));
  controller.abort();
  expect(await waiting).toMatchObject({ code: "ABORTED" });
  await running;
  await expect(act(session, "nothing")).resolves.toEqual({});
});

test("what an abandoned call has made is handed back, to be let go", async () => {
  const session = await lightSession();
  const controller = new AbortController();
  const request = modelRequest(parseRunConfig({ seed: 1 }), "stubborn");
  let cancelled: Promise<unknown> | undefined;
  const abandoned = new Promise((resolve) => {
    cancelled = rejectionOf(session.invoke("model.create", request, { signal: controller.signal, onAbandoned: resolve }));
  });
  await hasBegun(session);
  controller.abort();
  expect(await cancelled).toMatchObject({ code: "ABORTED" });
  expect(await abandoned).toMatchObject({ handle: { slot: 0, generation: 1 } });
});

test("closing interrupts the call that is under way and never begins those that wait", async () => {
  const session = await lightSession();
  const calls = [act(session, "spin"), act(session, "nothing")].map(rejectionOf);
  await hasBegun(session);
  const started = Date.now();
  await session.close();
  expect(Date.now() - started).toBeLessThan(2000);
  const [running, waiting] = await Promise.all(calls);
  expect(running).toMatchObject({ code: "ABORTED" });
  expect(waiting).toMatchObject({ code: "BRIDGE_CLOSED", message: expect.stringContaining("saving a model") });
  expect(await rejectionOf(act(session, "nothing"))).toMatchObject({ code: "BRIDGE_CLOSED" });
  await session.close();
});

test("closing ends a Python that hears neither interrupt nor SIGTERM", async () => {
  const session = await lightSession();
  const running = rejectionOf(act(session, "ignore"));
  await hasBegun(session);
  await session.close();
  expect(await running).toMatchObject({ code: "BRIDGE_CLOSED" });
  expect(await session.ended).toMatchObject({ signal: "SIGKILL" });
});
