import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { BhBridgeError } from "../../src/errors.js";
import type { RequestOf } from "../../src/protocol/operations.js";
import { repetitions } from "../repetitions.js";
import { act, createObject, lightSession } from "./light-session.js";
import { rejectionOf } from "./rejection-of.js";

test.each([70_000, repetitions(1_000_000, 16_000_000)])("a reply and a request of %i bytes arrive whole", async (bytes) => {
  const session = await lightSession();
  const handle = await createObject(session, 5);
  const length = Math.ceil(bytes / 3); // "7, " takes 3 bytes
  const { tokens } = await session.invoke("model.generate", { handle, tokens: [1], options: { max_new_tokens: length }, seed: null });
  expect(tokens).toHaveLength(length);
  expect(tokens.slice(0, 3)).toEqual([1, 5, 7]);
  const prompt = new Array<number>(bytes / 2).fill(3); // "3," takes 2
  const echoed = await session.invoke("model.generate", { handle, tokens: prompt, options: {}, seed: null });
  expect(echoed.tokens).toHaveLength(prompt.length + 1);
  expect(echoed.tokens.every((token, index) => token === (index < prompt.length ? 3 : 5))).toBe(true);
});

const objects = repetitions(2000, 10_050);

test(`${objects} objects are each found by their own handle, and by no other once released`, async () => {
  const session = await lightSession();
  const handles = await Promise.all(Array.from({ length: objects }, (_, seed) => createObject(session, seed)));
  const found = await Promise.all(handles.map((handle) => session.invoke("model.generate", { handle, tokens: [], options: {}, seed: null })));
  expect(found.map(({ tokens }) => tokens[0])).toEqual(handles.map((_, seed) => seed));
  const [first] = handles;
  if (!first) throw new Error("there is a first one");
  await session.invoke("release", { handle: first });
  expect(await createObject(session, 1)).toEqual({ slot: first.slot, generation: first.generation + 1 });
  const stale = await rejectionOf(session.invoke("model.generate", { handle: first, tokens: [], options: {}, seed: null }));
  expect(stale).toMatchObject({ code: "HANDLE_STALE" });
});

const calls = repetitions(10_000, 100_000);
/** A leak of 0.8 kB a call is seen. */
const leastLeak = Math.min(16, calls / 1250);

test(`${calls} calls leave the memory of both processes flat`, async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const session = await lightSession();
  const call = () => session.invoke("release", { handle: { slot: 1, generation: 1 } });
  const used = () => {
    collect();
    const status = readFileSync(`/proc/${session.environment.pid}/status`, "utf8");
    return { node: process.memoryUsage().heapUsed / 2 ** 20, python: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024 };
  };
  for (let index = 0; index < 2000; index++) await call();
  const before = used();
  for (let index = 0; index < calls; index++) await call();
  const after = used();
  expect(after.node - before.node).toBeLessThan(leastLeak);
  expect(after.python - before.python).toBeLessThan(leastLeak);
});

test("a Python exception keeps its type, module, message, ancestry and traceback", async () => {
  const session = await lightSession();
  const error = await rejectionOf(act(session, "KeyError"));
  expect(error).toBeInstanceOf(BhBridgeError);
  expect(error).toMatchObject({
    code: "PYTHON_RAISED",
    message: "Python raised KeyError while saving a model: 'missing'",
    python: { type: "KeyError", module: "builtins", message: "'missing'", mro: ["KeyError", "LookupError", "Exception", "BaseException", "object"] },
  });
  expect((error as BhBridgeError).python?.traceback).toContain("light_operations.py");
});

test("what asks to end the process ends the call, and the next call works", async () => {
  const session = await lightSession();
  expect(await rejectionOf(act(session, "sys.exit"))).toMatchObject({ code: "PYTHON_RAISED", python: { type: "SystemExit", message: "bye" } });
  expect(await rejectionOf(act(session, "Unprintable"))).toMatchObject({ code: "PYTHON_RAISED", python: { type: "Unprintable" } });
  await expect(act(session, "nothing")).resolves.toEqual({});
});

test("a request with a field too many is refused before it is sent", async () => {
  const session = await lightSession();
  const wrong = { handle: { slot: 0, generation: 1 }, directori: "nothing" } as unknown as RequestOf<"model.save">;
  const error = await rejectionOf(session.invoke("model.save", wrong));
  expect(error).toMatchObject({ code: "PROTOCOL_INVALID", message: expect.stringMatching(/saving a model.*directori/s) });
});

test("calls are made one at a time, in their order, whatever became of the one before", async () => {
  const session = await lightSession();
  const ended: string[] = [];
  const names = ["nothing", "KeyError", "nothing", "sys.exit", "nothing"];
  await Promise.all(
    names.map((name, index) =>
      act(session, name).then(
        () => ended.push(`${index} ok`),
        () => ended.push(`${index} failed`),
      ),
    ),
  );
  expect(ended).toEqual(["0 ok", "1 failed", "2 ok", "3 failed", "4 ok"]);
});
