import { existsSync, readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { BhBridgeError } from "../../src/errors.js";
import type { PythonSession } from "../../src/python/python-session.js";
import { act, lightSession, startLight } from "./light-session.js";
import { rejectionOf } from "./rejection-of.js";

/** How long a caller may go on waiting for a process that is gone. */
const noticeMs = 1000;

test.each([
  ["os._exit", { exitCode: 3, signal: null }, "ended with exit code 3"],
  ["SIGKILL", { exitCode: null, signal: "SIGKILL" }, "was killed (SIGKILL), as happens when memory runs out"],
  ["SIGTERM", { exitCode: null, signal: "SIGTERM" }, "was ended by SIGTERM"],
  ["SIGSEGV", { exitCode: null, signal: "SIGSEGV" }, "was ended by SIGSEGV"],
  ["SIGABRT", { exitCode: null, signal: "SIGABRT" }, "was ended by SIGABRT"],
])("%s of Python in a call rejects it within a second, and says how Python ended", async (name, exit, words) => {
  const session = await lightSession();
  const started = Date.now();
  const error = await rejectionOf(act(session, name));
  expect(Date.now() - started).toBeLessThan(noticeMs);
  expect(error).toBeInstanceOf(BhBridgeError);
  expect(error).toMatchObject({ code: "PEER_EXITED", exit, message: expect.stringContaining(`saving a model failed: Python ${words}`) });
});

test("a crash leaves the interpreter's own account of it in the error", async () => {
  const error = await rejectionOf(act(await lightSession(), "SIGSEGV"));
  expect((error as BhBridgeError).exit?.lastLines.join("\n")).toContain("light_operations.py");
});

test("the last words of Python are quoted without what would steer a terminal", async () => {
  const session = await lightSession();
  await act(session, "print");
  const error = await rejectionOf(act(session, "die talking"));
  const { lastLines } = (error as BhBridgeError).exit ?? { lastLines: [] };
  expect(lastLines).toContain("[31mwritten to 2[0m");
  expect(lastLines.at(-1)).toBe("the reason");
});

test("four calls pending at death get four errors, each with the call's name once, all with one cause; later calls get it at once", async () => {
  const session = await lightSession();
  const pending = [act(session, "sleep"), act(session, "nothing"), act(session, "nothing"), session.invoke("release", { handle: { slot: 0, generation: 1 } })];
  process.kill(session.environment.pid, "SIGKILL");
  const errors = (await Promise.all(pending.map(rejectionOf))) as BhBridgeError[];
  expect(errors.map(({ code, exit }) => [code, exit?.signal])).toEqual(errors.map(() => ["PEER_EXITED", "SIGKILL"]));
  expect(new Set(errors).size).toBe(4);
  expect(new Set(errors.map(({ cause }) => cause)).size).toBe(1);
  const names = ["saving a model", "saving a model", "saving a model", "releasing a model"];
  expect(errors.map(({ message }, index) => message.split(names[index] ?? "").length - 1)).toEqual([1, 1, 1, 1]);
  const late = await rejectionOf(act(session, "nothing"));
  expect(late).toMatchObject({ code: "PEER_EXITED", cause: errors[0]?.cause });
});

test("a Python that lives but has lost its connection is ended, and said to have lost it", async () => {
  const session = await lightSession();
  const started = Date.now();
  const error = await rejectionOf(act(session, "lose connection"));
  expect(Date.now() - started).toBeLessThan(noticeMs);
  expect(error).toMatchObject({ code: "PEER_EXITED", exit: { signal: "SIGKILL" }, message: expect.stringContaining("closed its connection") });
});

test("death is told to a bridge that is closed afterwards, and closing it is no error", async () => {
  const session = await lightSession();
  await rejectionOf(act(session, "SIGKILL"));
  await session.close();
  expect(await rejectionOf(act(session, "nothing"))).toMatchObject({ code: "PEER_EXITED" });
  expect(existsSync(session.folder)).toBe(false);
});

/** How often a death with a command unread is tried: a few times here, `BH_BRIDGE_TEST_REPEATS=200` for good measure. */
const repeats = Number(process.env["BH_BRIDGE_TEST_REPEATS"] ?? 5);

const cancel = (session: PythonSession, controller: AbortController) => {
  controller.abort();
  return session.ended;
};

test.each([
  ["a call that is cancelled", cancel],
  ["closing the bridge", (session: PythonSession) => session.close()],
])("a Python that dies with a command unread takes nothing else along: %s", async (_, command) => {
  for (let repeat = 0; repeat < repeats; repeat++) {
    const session = await startLight();
    const controller = new AbortController();
    const call = rejectionOf(act(session, "sleep", controller.signal));
    process.kill(session.environment.pid, "SIGSTOP");
    await vi.waitFor(() => expect(readFileSync(`/proc/${session.environment.pid}/status`, "utf8")).toMatch(/^State:\s+T/m), { interval: 1 });
    const ended = command(session, controller);
    await setImmediate(); // the command is on its way
    process.kill(session.environment.pid, "SIGKILL");
    await ended;
    expect(await call).toMatchObject({ code: expect.stringMatching(/^(ABORTED|BRIDGE_CLOSED)$/) });
    await session.close();
  }
});

test("an idle Python takes no notice of SIGINT, which was meant for a call that has ended", async () => {
  const session = await lightSession();
  process.kill(session.environment.pid, "SIGINT");
  await expect(act(session, "nothing")).resolves.toEqual({});
});
