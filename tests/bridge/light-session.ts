import { resolve } from "node:path";
import { afterEach } from "vitest";
import { modelRequest } from "../../src/bridge/model.js";
import { parseRunConfig } from "../../src/config/parse-run-config.js";
import { PythonSession } from "../../src/python/python-session.js";
import { realPython } from "./real-python.js";

export { realPython as python };

// Every Python that this test file starts has the tests' operations and no torch.
process.env["PYTHONPATH"] = resolve("tests/bridge/light");

/** Start a session with another folder on PYTHONPATH. */
export async function sessionWith(path: string, signal?: AbortSignal): Promise<PythonSession> {
  const light = process.env["PYTHONPATH"];
  process.env["PYTHONPATH"] = path;
  try {
    return await PythonSession.start({ python: realPython, threads: 1, device: "cpu", signal });
  } finally {
    process.env["PYTHONPATH"] = light;
  }
}

const sessions: PythonSession[] = [];
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
});

/** A session without torch. */
export function startLight(): Promise<PythonSession> {
  return PythonSession.start({ python: realPython, threads: 1, device: "cpu" });
}

/** A session without torch, which is closed after the test. */
export async function lightSession(): Promise<PythonSession> {
  const session = await startLight();
  sessions.push(session);
  return session;
}

/** Make the light Python do one of its acts. */
export function act(session: PythonSession, name: string, signal?: AbortSignal): Promise<unknown> {
  return session.invoke("model.save", { handle: { slot: 0, generation: 1 }, directory: name, overwrite: false }, { signal });
}

/** A light model: an object that answers with its seed. */
export async function createObject(session: PythonSession, seed: number) {
  const { handle } = await session.invoke("model.create", modelRequest(parseRunConfig({ seed }), null));
  return handle;
}
