import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { ownerFileName, ownerText, removeDeadFolders } from "../../../src/python/dead-folders.js";
import { folderTest } from "./folder-test.js";

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
