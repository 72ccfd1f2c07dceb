import { existsSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { afterEach } from "vitest";
import { PythonSession } from "../../src/bridge/python-session.js";

const candidates = [process.env["BH_BRIDGE_PYTHON"], resolve(".venv/bin/python")].filter((path) => path !== undefined);

/** The interpreter that has torch. */
export const python: string = candidates.find((path) => existsSync(path)) ?? "python3";

/** PYTHONPATH of a Python that has the tests' operations and no torch. */
export const lightPath = resolve("tests/bridge/light");

/** Run a task with PYTHONPATH set: a process that it starts takes it along. */
export async function withPythonPath<Value>(path: string, task: () => Promise<Value>): Promise<Value> {
  const before = process.env["PYTHONPATH"];
  process.env["PYTHONPATH"] = [path, ...(before ? [before] : [])].join(delimiter);
  try {
    return await task();
  } finally {
    if (before === undefined) delete process.env["PYTHONPATH"];
    else process.env["PYTHONPATH"] = before;
  }
}

const sessions: PythonSession[] = [];
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
});

/** A session without torch, which is closed after the test. */
export async function lightSession(): Promise<PythonSession> {
  const session = await withPythonPath(lightPath, () => PythonSession.start({ python, threads: 1, device: "cpu" }));
  sessions.push(session);
  return session;
}

/** Make the light Python do one of its acts. */
export function act(session: PythonSession, name: string, signal?: AbortSignal): Promise<unknown> {
  return session.invoke("model.save", { handle: { slot: 0, generation: 1 }, directory: name }, { signal });
}

/** A light model: an object that answers with its seed. */
export async function createObject(session: PythonSession, seed: number) {
  const { handle } = await session.invoke("model.create", { from: null, config: {}, norm: "rmsnorm", dtype: "float32", init: {}, seed });
  return handle;
}

/** The rejection of a promise, or the failure of the test. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error("it did not reject");
    },
    (error: unknown) => error,
  );
}
