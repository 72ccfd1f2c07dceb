import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test, vi } from "vitest";
import { python } from "./light-session.js";
import { isAlive, startProgram } from "./run-program.js";

/** What the bridge promises: Python is gone so soon after Node. */
const promisedMs = 2000;

async function hold(task: string, environment: NodeJS.ProcessEnv = {}) {
  const program = startProgram("tests/bridge/programs/hold.ts", [python, task], environment);
  const { pid, folder } = JSON.parse(await program.firstLine) as { pid: number; folder: string };
  if (task === "spin" || task === "ignore") {
    await vi.waitFor(() => expect(readFileSync(join(folder, "python.log"), "utf8")).toContain("begun"));
  }
  return { ...program, pid, folder };
}

const goneSoon = (pid: number) => vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: promisedMs, interval: 20 });

test.each([
  ["SIGKILL", "idle"],
  ["SIGKILL", "spin"],
  ["SIGKILL", "ignore"],
  ["SIGTERM", "idle"],
  ["SIGTERM", "spin"],
] as const)("%s of Node leaves no Python after two seconds: %s", async (signal, task) => {
  const { child, pid, folder, ended } = await hold(task);
  child.kill(signal);
  await ended;
  await goneSoon(pid);
  await vi.waitFor(() => expect(existsSync(folder)).toBe(false));
});

/** A PyTorch that takes five seconds to be loaded, in which no other thread of Python runs: what its libraries do on a busy machine. */
const slowTorch = ["import ctypes, os", 'os.write(1, b"begun\\n")', "ctypes.PyDLL(None).sleep(5)"].join("\n");

test("SIGKILL of Node leaves no Python after two seconds on a busy machine, not even one that is loading PyTorch", async () => {
  const parent = mkdtempSync(join(tmpdir(), "parent-"));
  writeFileSync(join(parent, "torch.py"), slowTorch);
  const others = Array.from({ length: 4 }, () => spawn("sh", ["-c", "while :; do :; done"]));
  try {
    const { child, ended } = startProgram("tests/bridge/programs/hold.ts", [python, "idle"], { PYTHONPATH: parent, TMPDIR: parent });
    const session = () => readdirSync(parent).find((name) => name.startsWith("bh-bridge-")) ?? "";
    await vi.waitFor(() => expect(readFileSync(join(parent, session(), "python.log"), "utf8")).toContain("begun"), { timeout: 60_000 });
    const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8"));
    expect(isAlive(pid)).toBe(true);
    child.kill("SIGKILL");
    await ended;
    await goneSoon(pid);
  } finally {
    for (const other of others) other.kill("SIGKILL");
    rmSync(parent, { recursive: true });
  }
});

test("what two killed processes left is removed at the next start, and nothing else is", async () => {
  const parent = mkdtempSync(join(tmpdir(), "parent-"));
  const there = () => readdirSync(parent).filter((name) => name.startsWith("bh-bridge-"));
  const start = (task: string) => hold(task, { TMPDIR: parent });
  const [killed, living, spoilt] = await Promise.all([start("idle"), start("idle"), start("idle")]);
  for (const { child, pid, ended } of [killed, spoilt]) {
    process.kill(pid, "SIGSTOP"); // so that it cannot remove its folder itself
    child.kill("SIGKILL");
    await ended;
    process.kill(pid, "SIGKILL");
  }
  writeFileSync(join(spoilt.folder, "thesis.tex"), "years");
  mkdirSync(join(parent, "bh-bridge-abcdef")); // as if it were ours
  const next = await start("idle");
  const expected = [living.folder, spoilt.folder, next.folder, join(parent, "bh-bridge-abcdef")];
  expect(there().sort()).toEqual(expected.map((folder) => basename(folder)).sort());
  for (const { child, ended } of [living, next]) {
    child.kill("SIGTERM");
    await ended;
  }
  rmSync(parent, { recursive: true });
});

test("an idle bridge lets Node end by itself, and Python and its folder go with it", async () => {
  const { pid, folder, ended } = await hold("leave");
  expect(await ended).toEqual([5, null]);
  await goneSoon(pid);
  expect(existsSync(folder)).toBe(false);
});

test("process.exit() takes Python and its folder along", async () => {
  const { pid, folder, ended } = await hold("exit");
  expect(await ended).toEqual([6, null]);
  await goneSoon(pid);
  expect(existsSync(folder)).toBe(false);
});

test("an unexpected error in the program ends both", async () => {
  const { pid, ended } = await hold("KeyError");
  expect(await ended).toEqual([1, null]);
  await goneSoon(pid);
});

test("nothing that Python says reaches Node's stdout or stderr", async () => {
  const { stdout, stderr, ended } = await hold("print");
  expect(await ended).toEqual([0, null]);
  expect((await stdout).trim().split("\n")).toHaveLength(1);
  expect(await stderr).toBe("");
});
