import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { DeadlockGuard } from "../../../src/python/deadlock-guard.js";

test("code that Python waits for is known by its name, across awaits", async () => {
  const guard = new DeadlockGuard();
  expect(guard.waitedFor).toBeUndefined();
  await guard.whileWaitedFor("a decider", async () => {
    await setTimeout(0);
    expect(guard.waitedFor).toBe("a decider");
  });
  expect(guard.waitedFor).toBeUndefined();
});

test("code beside it is not waited for", async () => {
  const guard = new DeadlockGuard();
  const waited = guard.whileWaitedFor("a decider", () => setTimeout(5));
  expect(guard.waitedFor).toBeUndefined();
  await waited;
});

test("what the task left running is not waited for once the task has ended, or failed", async () => {
  const guard = new DeadlockGuard();
  let later: Promise<string | undefined> | undefined;
  const failing = guard.whileWaitedFor("a decider", async () => {
    later = setTimeout(5).then(() => guard.waitedFor);
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await later).toBeUndefined();
});
