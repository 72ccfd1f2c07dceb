import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, vi } from "vitest";
import { lockHolders, requireUnlocked } from "../../../src/python/lock-holders.js";
import { folderTest, writeScript } from "./folder-test.js";

const holding = `
import fcntl, sys
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.write(sys.argv[2])
lock.flush()
print("held", flush=True)
sys.stdin.readline()
`;

/** A run whose lock a Python holds until it is let go, with this in its file. */
async function heldRun(folder: string, note: string) {
  const run = join(folder, "run");
  mkdirSync(run);
  const python = spawn("python3", ["-c", holding, join(run, "run.lock"), note], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void python.kill());
  await once(python.stdout, "data");
  return { run, letGo: () => python.stdin.end("\n") };
}

/** Let the first Python that is found count how often it is started. */
function countStarts(folder: string): () => number {
  const log = join(folder, "starts");
  writeFileSync(log, "");
  vi.stubEnv("BH_BRIDGE_PYTHON", writeScript(join(folder, "python"), `echo started >>'${log}'\nexec python3 "$@"`));
  onTestFinished(() => void vi.unstubAllEnvs());
  return () => readFileSync(log, "utf8").split("\n").length - 1;
}

const noProcess = 4_194_305; // beyond the largest process id of Linux

folderTest("an orphan that is about to end is waited for by one Python, not by one after another", async ({ folder }) => {
  const { run, letGo } = await heldRun(folder, `7\n${noProcess}\n${hostname()}\n`);
  const starts = countStarts(folder);
  const wait = requireUnlocked(run);
  setTimeout(letGo, 1000);
  await wait;
  expect(starts()).toBe(1);
});

folderTest("a run that another machine writes is refused at once with its name, whatever process has that number here", async ({ folder }) => {
  const { run } = await heldRun(folder, `7\n${noProcess}\nelsewhere\n`);
  expect(await lockHolders([run])).toEqual(new Map([[run, 7]]));
  await expect(requireUnlocked(run)).rejects.toMatchObject({
    code: "RUN_LOCKED",
    message: `${run} is in use by process 7 on elsewhere: wait for it, or stop it with Ctrl-C`,
  });
});

folderTest("a pipe, a folder or a link to itself in the place of a lock blocks nobody, and nobody holds it", async ({ folder }) => {
  const { run, letGo } = await heldRun(folder, `${noProcess}\n`);
  const others = ["pipe", "folder", "loop"].map((name) => join(folder, name));
  for (const other of others) mkdirSync(other);
  const [pipe = "", directory = "", loop = ""] = others.map((other) => join(other, "run.lock"));
  execFileSync("mkfifo", [pipe]);
  mkdirSync(directory);
  symlinkSync("run.lock", loop);
  expect(await lockHolders([...others, run])).toEqual(new Map([[run, noProcess]]));
  letGo();
});
