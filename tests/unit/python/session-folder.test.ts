import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import {
  atExit,
  createSessionFolder,
  ownerFileName,
  ownerText,
  removeDeadFolders,
  removeSessionFolder,
  temporaryFolder,
} from "../../../src/python/session-folder.js";
import { folderTest } from "./folder-test.js";

folderTest("a session's folder is for its user alone, says whose it is, and goes when it is told to", async () => {
  const made = await createSessionFolder();
  expect(statSync(made).mode & 0o777).toBe(0o700);
  expect(readdirSync(made)).toEqual([ownerFileName]);
  removeSessionFolder(made);
  expect(existsSync(made)).toBe(false);
  expect(existsSync(dirname(made))).toBe(true);
});

test("clean-ups run when Node exits, in order, but for those that were taken back; one listener serves all", () => {
  const listeners = process.listenerCount("exit");
  const ran: string[] = [];
  const takeBack = ["a", "b", "c"].map((name) => atExit(() => ran.push(name)));
  expect(process.listenerCount("exit")).toBe(listeners + 1);
  takeBack[1]?.();
  for (const listener of process.listeners("exit").slice(listeners)) listener.call(process, 0);
  expect(ran).toEqual(["a", "c"]);
  for (const back of takeBack) back();
  expect(process.listenerCount("exit")).toBe(listeners);
});

/** The number of a process that has ended. */
const deadPid = spawnSync("true").pid;
const owner = (pid: number, host = hostname()): string => JSON.stringify({ pid, host });

function sessionFolder(parent: string, name: string, text: string, ...files: string[]): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  writeFileSync(join(folder, ownerFileName), text);
  for (const file of files) writeFileSync(join(folder, file), "");
  return folder;
}

/** A socket that nobody listens at any more, as a killed process leaves it. */
function leftSocket(path: string): void {
  const program = "import os, socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); os._exit(0)";
  spawnSync("python3", ["-c", program, path]);
}

folderTest("the folder of a killed process goes", async ({ folder }) => {
  const left = sessionFolder(folder, "bh-bridge-aaaaaa", owner(deadPid), "python.log", "tensor-3");
  leftSocket(join(left, "events"));
  await removeDeadFolders(folder);
  expect(readdirSync(folder)).toEqual([]);
});

folderTest("what is not surely a killed session's stays", async ({ folder }) => {
  const kept = [
    sessionFolder(folder, "bh-bridge-alive1", ownerText()),
    sessionFolder(folder, "bh-bridge-hostaa", owner(deadPid, "another-host")),
    sessionFolder(folder, "bh-bridge-foreig", owner(deadPid), "notes.txt"),
    sessionFolder(folder, "bh-bridge-nobody", "{}"),
    sessionFolder(folder, "other-aaaaaa", owner(deadPid)),
  ];
  for (const path of kept) leftSocket(join(path, "events"));
  const listening = sessionFolder(folder, "bh-bridge-listen", owner(deadPid));
  const server = createServer().listen(join(listening, "events"));
  await new Promise((resolve) => server.once("listening", resolve));
  symlinkSync(sessionFolder(folder, "elsewhere", owner(deadPid)), join(folder, "bh-bridge-linked"));
  const before = readdirSync(folder);
  await removeDeadFolders(folder);
  server.close();
  expect(readdirSync(folder)).toEqual(before);
});

folderTest("a folder that is gone holds none", async ({ folder }) => {
  await expect(removeDeadFolders(join(folder, "gone"))).resolves.toBeUndefined();
});

test("it goes with all that is in it", () => {
  let path = "";
  {
    using folder = temporaryFolder("test");
    path = folder.path;
    writeFileSync(join(path, "file"), "text");
    expect(existsSync(path)).toBe(true);
  }
  expect(existsSync(path)).toBe(false);
});

test("a TMPDIR that is not there is passed over for the system's own folders", () => {
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = "/nonexistent";
  try {
    using folder = temporaryFolder("test");
    expect(folder.path).toMatch(/^\/(?:var\/)?tmp\/bh-bridge-test-/);
    expect(existsSync(folder.path)).toBe(true);
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
});
