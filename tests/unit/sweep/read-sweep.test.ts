import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { noLockHolders } from "../../../src/runs/scan-runs.js";
import { Ledger } from "../../../src/sweep/ledger.js";
import { readSweep } from "../../../src/sweep/read-sweep.js";
import { temporaryDirectory } from "../formats/reference-python.js";

/** A sweep of three trials: one that has begun, one that failed, one that waits. */
function sweep(): string {
  const directory = temporaryDirectory();
  const trials = ["a", "b", "c"].map((trial, index) => ({ trial, set: { seed: index + 1 } }));
  const plan = { schema: "bh-bridge/plan@1", name: "sigma", hash: "ab", preset: "quick", base: {}, prune: null, question: null, trials };
  writeFileSync(join(directory, "plan.json"), JSON.stringify(plan));
  mkdirSync(join(directory, "runs", "a"), { recursive: true });
  using ledger = new Ledger(directory);
  ledger.append({ trial: "a", status: "running", run: "runs/a" });
  ledger.append({ trial: "b", status: "failed", run: null, reason: "no disk" });
  return directory;
}

test("a sweep without a controller: what ran is lost, what failed says why, the rest is planned, and every path is absolute", async () => {
  const directory = sweep();
  const none = { result: null, reason: null, run: null };
  expect(await readSweep(relative(process.cwd(), directory), noLockHolders)).toEqual({
    schema: "bh-bridge/sweep@1",
    name: "sigma",
    directory,
    trials: [
      { ...none, trial: "a", status: "lost", set: { seed: 1 }, run: join(directory, "runs/a") },
      { ...none, trial: "b", status: "failed", set: { seed: 2 }, reason: "no disk" },
      { ...none, trial: "c", status: "planned", set: { seed: 3 } },
    ],
    counts: { planned: 1, running: 0, completed: 0, failed: 1, pruned: 0, lost: 1 },
  });
});

test("one whose directory a process holds is under way", async () => {
  const { trials } = await readSweep(sweep(), async ([directory = ""]) => new Map([[directory, process.pid]]));
  expect(trials[0]?.status).toBe("running");
});

test("a folder that is no sweep is told", async () => {
  await expect(readSweep(temporaryDirectory(), noLockHolders)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
});
