import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { noLockHolders } from "../../../src/runs/scan-runs.js";
import { Ledger } from "../../../src/sweep/ledger.js";
import { countTrials, sweepDocumentSchema } from "../../../src/sweep/sweep-document.js";
import { concludeSweep, readSweep, summaryText, withRelativePaths } from "../../../src/sweep/sweep-summary.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { sweepTrial, sweepTrial as trial } from "./sweep-trial.js";

test("a row a point: numbers over its seeds with n and spread, and who failed", () => {
  const trials = [
    trial({ a: 1, seed: 1 }, 2),
    trial({ a: 1, seed: 2 }, 4),
    trial({ a: "x", seed: 1 }, null),
    trial({ a: "x", seed: 2 }, null, { trial: "0123", status: "failed", result: null, reason: "DISK_FULL: no room\nmore" }),
    trial({ a: "x", seed: 3 }, 9, { trial: "4567", status: "failed", reason: "not finite" }),
  ];
  const text = summaryText({ schema: "bh-bridge/sweep@1", name: "s", directory: null, trials, counts: countTrials(trials) });
  expect(text).toBe(`# Sweep s

5 trials: 3 completed, 2 failed.
Each number is the mean over n seeds ± the sample standard deviation (n − 1), which one seed does not have.

| a | n | C | P | unique | final loss | displacement |
|---|---|---|---|---|---|---|
| 1 | 2 | 1 ± 0 | 29 ± 0 | 100 ± 0 | 3 ± 1.414 | 0.5 ± 0 |
| x | 1 | 1 | 29 | 100 | – | 0.5 |

## Failed

- 0123: DISK_FULL: no room
- 4567: not finite
`);
});

test("no absolute path of the machine stands in it", () => {
  const trials = [trial({ "data.corpus": "/home/ada/text.txt" }, 2, { status: "failed", reason: "cannot write /home/ada/sweeps/s/runs/a/events.jsonl" })];
  const text = summaryText({ schema: "bh-bridge/sweep@1", name: "s", directory: "/home/ada/sweeps/s", trials, counts: countTrials(trials) });
  expect(text).toContain("| ../../text.txt | 0 |");
  expect(text).toContain(": cannot write runs/a/events.jsonl\n");
  expect(text).not.toContain("/home");
});

test("a sweep ends in its document, and in a page for people", async () => {
  const trials = [sweepTrial({ seed: 1 }, 2), sweepTrial({ seed: 2 }, null, { status: "planned", run: null, result: null })];
  const { document, summary } = await concludeSweep({ name: "sigma" })({ directory: "/sweeps/x", trials } as Parameters<ReturnType<typeof concludeSweep>>[0]);
  expect(sweepDocumentSchema.parse(document)).toMatchObject({ name: "sigma", directory: "/sweeps/x", trials, counts: { completed: 1, planned: 1, failed: 0 } });
  expect(summary).toMatch(/^# Sweep sigma\n\n2 trials: 1 planned, 1 completed\./);
});

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
    counts: { planned: 1, running: 0, completed: 0, failed: 1, pruned: 0, lost: 1, skipped: 0 },
  });
});

test("one whose directory a process holds is under way", async () => {
  const { trials } = await readSweep(sweep(), async ([directory = ""]) => new Map([[directory, process.pid]]));
  expect(trials[0]?.status).toBe("running");
});

test("a folder that is no sweep is told", async () => {
  await expect(readSweep(temporaryDirectory(), noLockHolders)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
});

test.each([
  ["a run of the directory: `/data/my sweeps/one/runs/a`.", "a run of the directory: `runs/a`."],
  ["another directory: /data/sweeps/one", "another directory: ../../sweeps/one"],
  ["cannot read /home/ada/text.txt: it is a folder", "cannot read ../../../home/ada/text.txt: it is a folder"],
  ['"/usr/lib/python3.11/json.py"', '"../../../usr/lib/python3.11/json.py"'],
  ["3/4 of and/or, 12 tokens/s, `/[A-Z]/`, https://example.org/a/b, ../a/b and a/b/c", undefined],
])("%s", (text, expected) => expect(withRelativePaths(text, "/data/my sweeps/one")).toBe(expected ?? text));
