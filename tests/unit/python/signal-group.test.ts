import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { signalGroup } from "../../../src/python/signal-group.js";

test("a process and the one that it started get the signal", async () => {
  // Both tell that they have begun; both hold the pipe, which ends when both have.
  const leader = spawn("sh", ["-c", "sh -c 'echo child; exec sleep 60' & echo leader; wait"], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  while (said.split("\n").length < 3) said += String((await once(leader.stdout, "data"))[0]);
  const closed = once(leader, "close");
  expect(signalGroup(leader.pid ?? 0, "SIGKILL")).toBe(true);
  const [, signal] = (await closed) as [number | null, NodeJS.Signals];
  expect(signal).toBe("SIGKILL");
});

test("a group that has ended is told", async () => {
  const leader = spawn("true", { detached: true, stdio: "ignore" });
  await once(leader, "close");
  expect(signalGroup(leader.pid ?? 0, "SIGTERM")).toBe(false);
});

test("a process that leads no group is not signalled", async () => {
  const follower = spawn("sleep", ["60"], { stdio: "ignore" });
  await once(follower, "spawn");
  expect(signalGroup(follower.pid ?? 0, "SIGKILL")).toBe(false);
  expect(follower.exitCode).toBeNull();
  const exited = once(follower, "exit");
  follower.kill("SIGTERM");
  expect(await exited).toEqual([null, "SIGTERM"]);
});
