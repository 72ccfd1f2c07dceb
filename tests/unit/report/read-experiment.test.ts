import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readExperiment } from "../../../src/report/report-page.js";
import { experimentDocumentSchema } from "../../../src/sweep/experiment/experiment-summary.js";
import { Ledger } from "../../../src/sweep/ledger.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeExperiment } from "../serve/written-experiment.js";
import { sweepTrial } from "../sweep/sweep-trial.js";

/** An experiment of which so many of the two trials have completed. */
function experiment(completed: readonly string[]): string {
  const directory = writeExperiment(temporaryDirectory());
  complete(directory, completed);
  return directory;
}

function complete(directory: string, arms: readonly string[]): void {
  const { result } = sweepTrial({}, 2);
  using ledger = new Ledger(directory);
  for (const arm of arms) ledger.append({ trial: `trial-${arm}`, status: "completed", run: `runs/${arm}`, ...(result && { result }) });
}

test("what no conclusion is written of is concluded from the runs that have completed", async () => {
  const document = experimentDocumentSchema.parse(await readExperiment(experiment(["plain"]), { workers: 0 }));
  expect([document.control.length, document.treatment.length, document.name]).toEqual([1, 0, "norms"]);
});

test("a written conclusion is taken while it knows all runs, and concluded anew when there is one more", async () => {
  const directory = experiment(["plain"]);
  const concluded = await readExperiment(directory, { workers: 0 });
  const written = { ...concluded, verdict: { ...concluded.verdict, reason: "as it was written" } };
  writeFileSync(join(directory, "result.json"), JSON.stringify(written));
  expect((await readExperiment(directory, { workers: 0 })).verdict.reason).toBe("as it was written");
  complete(directory, ["scaled"]);
  expect((await readExperiment(directory, { workers: 0 })).treatment).toHaveLength(1);
});

test("a verdict that was given by other rules than this version's is not repeated, but given anew, and remains an earlier look", async () => {
  const directory = experiment(["plain", "scaled"]);
  const concluded = await readExperiment(directory, { workers: 0 });
  const verdict = { ...concluded.verdict, result: "null", rules: ["null: the interval lies inside the margin"] };
  const seeds = [1];
  writeFileSync(join(directory, "result.json"), JSON.stringify({ ...concluded, seeds, verdict }));
  const anew = await readExperiment(directory, { workers: 0 });
  expect(anew.verdict.result).not.toBe("null");
  expect(anew.looks).toEqual([{ seeds, result: "null" }]);
});

test("a conclusion that was moved with its directory, or is of another form, is made anew", async () => {
  const directory = experiment(["plain"]);
  const concluded = await readExperiment(directory, { workers: 0 });
  writeFileSync(join(directory, "result.json"), JSON.stringify(concluded));
  const moved = join(temporaryDirectory(), "moved");
  cpSync(directory, moved, { recursive: true });
  expect((await readExperiment(moved, { workers: 0 })).directory).toBe(moved);
  writeFileSync(join(directory, "result.json"), JSON.stringify({ schema: "bh-bridge/experiment@0" }));
  expect((await readExperiment(directory, { workers: 0 })).schema).toBe("bh-bridge/experiment@1");
});

test("a sweep answers no question", async () => {
  const directory = experiment([]);
  const plan = join(directory, "plan.json");
  writeFileSync(plan, JSON.stringify({ ...JSON.parse(readFileSync(plan, "utf8")), question: null }));
  await expect(readExperiment(directory)).rejects.toMatchObject({ code: "USAGE" });
});
