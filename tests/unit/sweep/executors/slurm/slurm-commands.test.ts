import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sbatch, squeue } from "../../../../../src/sweep/executors/slurm/slurm-commands.js";
import { temporaryDirectory } from "../../../formats/reference-python.js";

// In the place of a controller that is down: what SLURM 24.11 prints then. The real one is restarted in tests/e2e/slurm.test.ts.
const down = "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1";
const path = process.env["PATH"];
let folder = "";
beforeEach(() => {
  folder = temporaryDirectory();
  process.env["PATH"] = `${folder}:${path}`;
});
afterEach(() => {
  process.env["PATH"] = path;
});

/** A program that fails as with a controller that is down for its first calls, and then does something else. */
function program(name: string, failures: number, then: string): () => number {
  const calls = join(folder, `${name}-calls`);
  writeFileSync(calls, "");
  writeFileSync(join(folder, name), `#!/bin/sh\necho >>'${calls}'\nif [ $(wc -l <'${calls}') -le ${failures} ]; then ${down}; fi\n${then}\n`);
  chmodSync(join(folder, name), 0o755);
  return () => readFileSync(calls, "utf8").length;
}

test("a controller that is restarted is asked again, and the caller goes on meanwhile", async () => {
  const calls = program("squeue", 2, "echo '17|1|RUNNING|None|node1'");
  let waits = 0;
  expect(await squeue({ patienceMs: 30_000, onWait: () => waits++ })).toHaveLength(1);
  expect([calls(), waits]).toEqual([3, 2]);
});

test("one that stays away is an error that says what becomes of the jobs", async () => {
  const calls = program("squeue", 1000, "");
  await expect(squeue({ patienceMs: 1500 })).rejects.toMatchObject({
    code: "EXECUTOR_UNAVAILABLE",
    message: expect.stringMatching(/^squeue failed: .*connect failure\)\. Retried for \d s\. SLURM's jobs continue without this command/),
  });
  expect(calls()).toBeGreaterThan(1);
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 200);
  const began = performance.now();
  await expect(squeue({ patienceMs: 60_000, signal: stop.signal })).rejects.toMatchObject({ code: "EXECUTOR_UNAVAILABLE" });
  expect(performance.now() - began, "a signal ends the waiting").toBeLessThan(10_000);
});

test.each([
  ...["Unable to contact slurm controller (connect failure)", "Connection reset by peer", "Socket timed out on send/recv operation"],
  ...["Zero Bytes were transmitted or received", "Slurm controller is in standby mode", "Protocol authentication error"],
])("%s is what an outage looks like", async (words) => {
  program("squeue", 0, `if [ $(wc -l <'${join(folder, "squeue-calls")}') = 1 ]; then echo 'slurm_load_jobs error: ${words}' >&2; exit 1; fi`);
  expect(await squeue({ patienceMs: 30_000 })).toEqual([]);
});

test("a failure of another kind is not waited for", async () => {
  const calls = program("squeue", 0, "echo 'slurm_load_jobs error: Invalid user id' >&2; exit 1");
  await expect(squeue({ patienceMs: 60_000 })).rejects.toMatchObject({
    code: "EXECUTOR_UNAVAILABLE",
    message: "squeue failed: slurm_load_jobs error: Invalid user id",
  });
  expect(calls()).toBe(1);
});

test("a script is submitted once more only where the controller has not taken it", async () => {
  const submissions = program("sbatch", 1, "echo 18");
  program("squeue", 1, "echo '17|/plans/a/job.sbatch'");
  expect(await sbatch("/plans/a/job.sbatch", { patienceMs: 30_000 })).toBe("17");
  expect(submissions()).toBe(1);
  program("sbatch", 1, "echo 18");
  expect(await sbatch("/plans/b/job.sbatch", { patienceMs: 30_000 })).toBe("18");
});
