import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { CallQueue, DeadlockGuard } from "../../../src/python/python-session.js";

/** A task that ends when it is told to. */
function task() {
  const { promise, resolve, reject } = deferred<string>();
  let begun = false;
  const run = () => {
    begun = true;
    return promise;
  };
  return { run, resolve, reject, hasBegun: () => begun };
}

function deferred<Value>() {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<Value>((accept, refuse) => {
    resolve = accept;
    reject = refuse;
  });
  return { promise, resolve, reject };
}

const never = { interrupt: () => expect.unreachable("nothing is to be interrupted") };
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a call begins when the one before has ended, well or badly", async () => {
  const queue = new CallQueue();
  const [first, second] = [task(), task()];
  const failed = queue.run("first", first.run, never);
  const done = queue.run("second", second.run, never);
  await turn();
  expect([first.hasBegun(), second.hasBegun()]).toEqual([true, false]);
  first.reject(new Error("no"));
  await expect(failed).rejects.toThrow("no");
  second.resolve("yes");
  await expect(done).resolves.toBe("yes");
});

test("a call that is cancelled while it waits is rejected at once, never begun, and interrupts nothing", async () => {
  const queue = new CallQueue();
  const [first, second, third] = [task(), task(), task()];
  const controller = new AbortController();
  const running = queue.run("first", first.run, never);
  const waiting = queue.run("second", second.run, { ...never, signal: controller.signal });
  const later = queue.run("third", third.run, never);
  controller.abort("why");
  await expect(waiting).rejects.toMatchObject({ code: "ABORTED", message: "second was cancelled", cause: "why" });
  first.resolve("first");
  await running;
  third.resolve("third");
  await expect(later).resolves.toBe("third");
  expect(second.hasBegun()).toBe(false);
});

test("a call that has begun is interrupted and rejected at once; what it comes to is handed over, and the next waits for it", async () => {
  const queue = new CallQueue();
  const [first, second] = [task(), task()];
  const controller = new AbortController();
  const seen: unknown[] = [];
  const options = { signal: controller.signal, interrupt: () => seen.push("interrupted"), onAbandoned: (value?: string) => seen.push(value) };
  const running = queue.run("first", first.run, options);
  const later = queue.run("second", second.run, never);
  await turn();
  controller.abort();
  await expect(running).rejects.toMatchObject({ code: "ABORTED" });
  expect(second.hasBegun()).toBe(false);
  first.resolve("too late");
  second.resolve("second");
  await later;
  expect(seen).toEqual(["interrupted", "too late"]);
});

test("a cancelled call that failed, or never began, is told to be over as well, once", async () => {
  const queue = new CallQueue();
  const [first, second] = [task(), task()];
  const controller = new AbortController();
  const over: string[] = [];
  const options = (name: string, signal: AbortSignal) => ({
    signal,
    interrupt: () => undefined,
    onAbandoned: (value?: string) => over.push(`${name} ${value}`),
  });
  const calls = [
    queue.run("first", first.run, options("first", controller.signal)),
    queue.run("second", second.run, options("second", controller.signal)),
    queue.run("third", second.run, options("third", AbortSignal.abort())),
  ];
  const ended = Promise.allSettled(calls);
  await turn();
  controller.abort();
  await ended;
  expect(over).toEqual(["third undefined", "second undefined"]);
  first.reject(new Error("interrupted"));
  await turn();
  expect(over).toEqual(["third undefined", "second undefined", "first undefined"]);
});

test("a call that is ended in its own way is waited for", async () => {
  const queue = new CallQueue();
  const only = task();
  const controller = new AbortController();
  const running = queue.run("only", only.run, { signal: controller.signal, interrupt: () => only.resolve("stopped"), keepsWaiting: true });
  await turn();
  controller.abort();
  await expect(running).resolves.toBe("stopped");
});

test("an abort after the end does nothing", async () => {
  const controller = new AbortController();
  const only = task();
  only.resolve("done");
  await new CallQueue().run("only", only.run, { ...never, signal: controller.signal });
  controller.abort();
});

test("a signal that is aborted already keeps the call from beginning", async () => {
  const only = task();
  await expect(new CallQueue().run("only", only.run, { ...never, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  expect(only.hasBegun()).toBe(false);
});

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
