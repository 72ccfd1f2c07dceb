import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { endError, sessionEnd, signalGroup, stopLadder } from "../../../src/python/session-end.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const context = { logs: [], killReason: undefined, wasClosed: false };

/** Logs with these texts, the newest last. */
function logs(...texts: string[]): string[] {
  const folder = temporaryDirectory();
  return texts.map((text, index) => {
    const path = join(folder, `${index}.log`);
    writeFileSync(path, text);
    return path;
  });
}

test("a process that could not be started ends with the reason", () => {
  const error = new Error("spawn /nowhere ENOENT");
  const end = sessionEnd({ error }, context);
  expect(end).toMatchObject({ exit: { exitCode: null, signal: null, lastLines: ["spawn /nowhere ENOENT"] }, wasClosed: false });
  expect([end.cause.message, end.cause.cause]).toEqual(["Python could not be started", error]);
});

test("its last words are those of the newest log that has any", () => {
  const { exit, cause } = sessionEnd({ code: 3, signal: null }, { ...context, logs: logs("older\n", "one\ntwo\n", " \n") });
  expect(exit).toEqual({ exitCode: 3, signal: null, lastLines: ["one", "two"] });
  expect(cause.message).toBe("Python ended with exit code 3");
});

test("forty last lines are kept, and none where nothing was said", () => {
  const said = Array.from({ length: 100 }, (_, line) => String(line));
  expect(sessionEnd({ code: 1, signal: null }, { ...context, logs: logs(said.join("\n")) }).exit.lastLines).toEqual(said.slice(60));
  expect(sessionEnd({ code: 1, signal: null }, context).exit.lastLines).toEqual([]);
});

test("why it was killed is told, when it was on purpose", () => {
  const killed = { code: null, signal: "SIGKILL" } as const;
  expect(sessionEnd(killed, { ...context, killReason: "no answer" }).cause.message).toBe(
    "Python did not answer within 5 minutes and was killed; if the machine or its disk is busy, run the command again",
  );
  expect(sessionEnd(killed, context).cause.message).toMatch(/was killed \(SIGKILL\), as happens when memory runs out$/);
});

test("each call that an end took along has an error of its own with the same cause; after closing it is the closing that is told", () => {
  const end = sessionEnd({ code: null, signal: "SIGSEGV" }, { ...context, logs: logs("Fatal Python error: Segmentation fault") });
  const [one, other] = [endError("trainer.train", end), endError("model.save", end)];
  expect(one).toMatchObject({ code: "PEER_EXITED", exit: { signal: "SIGSEGV" }, cause: end.cause });
  expect(one.message).toContain("was ended by SIGSEGV. Its last output: Fatal Python error: Segmentation fault");
  expect(other.cause).toBe(one.cause);
  expect(other).not.toBe(one);
  expect(endError("model.save", { ...end, wasClosed: true })).toMatchObject({ code: "BRIDGE_CLOSED", cause: end.cause });
});

test("Ctrl-C that comes before the new process ignores it has stopped the call, which did not fail", () => {
  const end = sessionEnd({ code: null, signal: "SIGINT" }, context);
  expect(endError("hello", end)).toMatchObject({ code: "ABORTED", exit: { signal: "SIGINT" }, cause: end.cause });
});

test("a process and the one that it started get the signal", async () => {
  // Both tell that they have begun; both hold the pipe, which ends when both have.
  const leader = spawn("sh", ["-c", "sh -c 'echo child; exec sleep 60' & echo leader; wait"], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  while (said.split("\n").length < 3) said += String((await once(leader.stdout, "data"))[0]);
  const closed = once(leader, "close");
  expect(signalGroup(leader.pid ?? 0, "SIGKILL")).toBe(true);
  const [, signal] = (await closed) as [number | null, NodeJS.Signals];
  expect(signal).toBe("SIGKILL");
});

test("a group that has ended is told", async () => {
  const leader = spawn("true", { detached: true, stdio: "ignore" });
  await once(leader, "close");
  expect(signalGroup(leader.pid ?? 0, "SIGTERM")).toBe(false);
});

test("a process that leads no group is not signalled", async () => {
  const follower = spawn("sleep", ["60"], { stdio: "ignore" });
  await once(follower, "spawn");
  expect(signalGroup(follower.pid ?? 0, "SIGKILL")).toBe(false);
  expect(follower.exitCode).toBeNull();
  const exited = once(follower, "exit");
  follower.kill("SIGTERM");
  expect(await exited).toEqual([null, "SIGTERM"]);
});

function rungs(endAt: number) {
  const acts: number[] = [];
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const ladder = [100, 200, Number.POSITIVE_INFINITY].map((graceMs, index) => ({
    act: () => {
      acts.push(index);
      if (index === endAt) end();
    },
    graceMs,
  }));
  return { acts, ended, ladder };
}

test.each([
  [0, [0], 0],
  [1, [0, 1], 100],
  [2, [0, 1, 2], 300],
])("what ends at rung %i is met by the rungs %j after %i ms", async (endAt, expected, after) => {
  vi.useFakeTimers();
  const { acts, ended, ladder } = rungs(endAt);
  const climbed = stopLadder(ended, ladder);
  await vi.advanceTimersByTimeAsync(after);
  await climbed;
  expect(acts).toEqual(expected);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
