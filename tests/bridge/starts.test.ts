import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { Bridge } from "../../src/bridge/bridge.js";
import { repetitions } from "../repetitions.js";
import { act, createObject, lightSession, sessionWith, startLight } from "./light-session.js";
import { rejectionOf } from "./rejection-of.js";

const folder = mkdtempSync(join(tmpdir(), "starts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, lines: string): string {
  const path = join(folder, name);
  writeFileSync(path, lines);
  chmodSync(path, 0o755);
  return path;
}

/** A folder for PYTHONPATH whose module is run by every interpreter that starts. */
function atStart(name: string, lines: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, "sitecustomize.py"), lines);
  return path;
}

test("an interpreter that is not there is PYTHON_NOT_FOUND, with its path", async () => {
  const missing = join(folder, "no-python");
  expect(await rejectionOf(Bridge.start({ python: missing }))).toMatchObject({ code: "PYTHON_NOT_FOUND", message: expect.stringContaining(missing) });
});

test("what is no Python is PYTHON_NOT_FOUND", async () => {
  expect(await rejectionOf(Bridge.start({ python: script("not-python", "#!/bin/sh\necho hello\n") }))).toMatchObject({ code: "PYTHON_NOT_FOUND" });
});

test.each([
  ["a Python that is too old", { version: "3.8.10", torch: "2.13.0" }, /3\.8\.10/],
  ["a Python without torch", { version: "3.12.1", torch: null }, /torch is not installed/],
  ["a Python with a torch that is too old", { version: "3.12.1", torch: "1.13.0" }, /torch.*1\.13\.0/],
])("%s is PYTHON_DEPENDENCY_MISSING, and what to do is said", async (name, { version, torch }, message) => {
  const report = {
    version,
    executable: "/x",
    prefix: "/x",
    platform: "linux",
    packages: { torch, transformers: "5.24.0", accelerate: "1.10.0", safetensors: "0.6.0", numpy: "2.3.0" },
  };
  const fake = script(name.replaceAll(" ", "-"), `#!/bin/sh\necho "$2"'${JSON.stringify(report)}'\n`);
  const error = await rejectionOf(Bridge.start({ python: fake }));
  expect(error).toMatchObject({ code: "PYTHON_DEPENDENCY_MISSING", message: expect.stringMatching(message) });
});

test("two versions that do not understand each other are both named, and nothing is left", async () => {
  const path = atStart("newer", "try:\n    import bh_bridge\nexcept ImportError:\n    pass\nelse:\n    bh_bridge.PROTOCOL_VERSION = 99\n");
  const error = await rejectionOf(sessionWith(path));
  expect(error).toMatchObject({ code: "PROTOCOL_MISMATCH", message: expect.stringMatching(/protocol 1\b.*\b99\b/) });
});

test("a torch that cannot be imported is reported as Python reports it", async () => {
  const path = join(folder, "broken");
  mkdirSync(join(path, "torch"), { recursive: true });
  writeFileSync(join(path, "torch", "__init__.py"), 'raise ImportError("libtorch.so: cannot open shared object file")\n');
  const error = await rejectionOf(sessionWith(path));
  expect(error).toMatchObject({ code: "PYTHON_RAISED", python: { type: "ImportError", message: expect.stringContaining("libtorch.so") } });
});

test("a Python that dies as it starts is PEER_EXITED with its last words", async () => {
  const path = atStart("dies", 'import os\nos.write(2, b"no licence\\n")\nos._exit(7)\n');
  const error = await rejectionOf(sessionWith(path));
  expect(error).toMatchObject({ code: "PEER_EXITED", exit: { exitCode: 7 }, message: expect.stringContaining("no licence") });
});

test("a start can be cancelled", async () => {
  const path = atStart("slow", "import time\ntime.sleep(60)\n");
  const started = Date.now();
  const start = sessionWith(path, AbortSignal.timeout(200));
  expect(await rejectionOf(start)).toMatchObject({ code: "ABORTED" });
  expect(Date.now() - started).toBeLessThan(2000);
});

test("a DEBUG variable does not make the transport talk on stdout", async () => {
  vi.stubEnv("DEBUG", "bh-bridge");
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const debug = vi.spyOn(console, "debug").mockImplementation(() => undefined);
  await act(await lightSession(), "nothing");
  expect([...log.mock.calls, ...debug.mock.calls]).toEqual([]);
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test("two bridges in one process are two processes: each answers for its own objects, and outlives the other", async () => {
  const [first, second] = await Promise.all([lightSession(), lightSession()]);
  expect(first.environment.pid).not.toBe(second.environment.pid);
  const handles = [await createObject(first, 1), await createObject(second, 2)] as const;
  expect(handles[0]).toEqual(handles[1]);
  const answers = await Promise.all(
    [first, second].map((session) => session.invoke("model.generate", { handle: handles[0], tokens: [], options: {}, seed: null })),
  );
  expect(answers).toEqual([{ tokens: [1] }, { tokens: [2] }]);
  await rejectionOf(act(first, "SIGKILL"));
  await expect(act(second, "nothing")).resolves.toEqual({});
  const third = await lightSession();
  await expect(act(third, "nothing")).resolves.toEqual({});
});

const starts = repetitions(16, 200);

test(`${starts} starts and ends leave no process, descriptor, temporary file, listener or variable`, async () => {
  vi.stubEnv("TMPDIR", mkdtempSync(join(folder, "tmp-")));
  const left = () => ({
    descriptors: readdirSync("/proc/self/fd").length,
    children: readFileSync(`/proc/self/task/${process.pid}/children`, "utf8"),
    files: readdirSync(tmpdir()),
    listeners: process.eventNames().map((name) => [name, process.listenerCount(name)]),
    environment: Object.keys(process.env),
  });
  await (await startLight()).close();
  const before = left();
  for (let cycle = 0; cycle < starts; cycle += 2) {
    const sessions = await Promise.all([startLight(), startLight()]);
    await Promise.all(sessions.map((session) => session.close()));
  }
  await vi.waitFor(() => expect(left()).toEqual(before));
  vi.unstubAllEnvs();
});
