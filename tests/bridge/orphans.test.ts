import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { python } from "./light-session.js";
import { isAlive, startProgram } from "./run-program.js";

/** What the bridge promises: Python is gone so soon after Node. */
const promisedMs = 2000;

async function hold(task: string) {
  const program = startProgram("tests/bridge/programs/hold.ts", [python, task]);
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
