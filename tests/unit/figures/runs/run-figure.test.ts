import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { analyze } from "../../../../src/analysis/analyze.js";
import { RunSource, requestedAnalysis, tokenGroups } from "../../../../src/figures/runs/run-figure.js";
import { recordedRun, writeAnalysis } from "../../../../src/runs/recorded-run.js";
import { type RunOfStates, runOfStates, writeRunOfStates } from "../run-of-states.js";

const states = [
  [[1], [2]],
  [[1], [1]],
];

test("what is made of a run is made once, also when it is asked for twice at a time", async () => {
  using run = runOfStates({ states });
  let made = 0;
  const make = async () => ++made;
  expect(await Promise.all([run.once(make), run.once(make)])).toEqual([1, 1]);
  expect(run.once(() => "other")).toBe("other");
  expect(await run.history()).toBe(await run.history());
});

/** Write an analysis into a run that tells of more black holes than there are, so that it is known again. */
async function falseAnalysis(directory: string, only?: ["timeline"]): Promise<void> {
  using run = new RunSource(directory);
  const analysis = await analyze(await run.history(), { workers: 0, run: recordedRun(directory), ...(only && { only }) });
  writeAnalysis(directory, { ...analysis, ...(analysis.timeline && { timeline: { ...analysis.timeline, C: [7, 7] } }) });
}

test("an analysis of all that was recorded is taken as it was written", async () => {
  const directory = writeRunOfStates({ states });
  await falseAnalysis(directory);
  using run = new RunSource(directory, { workers: 0 });
  expect((await run.analysis()).timeline?.C).toEqual([7, 7]);
});

test("an analysis of a part, or of fewer states than there are now, is made anew", async () => {
  const part = writeRunOfStates({ states });
  await falseAnalysis(part, ["timeline"]);
  const earlier = writeRunOfStates({ states });
  await falseAnalysis(earlier);
  const path = join(earlier, "analysis.json");
  writeFileSync(path, readFileSync(path, "utf8").replace('"states":2', '"states":1'));
  for (const directory of [part, earlier]) {
    using run = new RunSource(directory, { workers: 0 });
    expect((await run.analysis()).timeline?.C).toEqual([0, 1]);
  }
});

test("a directory that is no run is refused at once", () => {
  expect(() => new RunSource("/nowhere")).toThrow(expect.objectContaining({ code: "RUN_NOT_FOUND" }));
});

test("an analysis that a run has nothing for tells why, one that it has is made", async () => {
  using run = runOfStates({
    states: [
      [[0], [0]],
      [[1], [3]],
    ],
    dtype: "F32",
  });
  expect(await requestedAnalysis(run, "deadMass")).toEqual({ absent: expect.stringMatching(/^needs a run that recorded logits\.mean/) });
  expect(await requestedAnalysis(run, "kinematics")).toMatchObject({ part: { bulkSpeed: [2] } });
});

async function groupsOf(states: RunOfStates) {
  using run = runOfStates(states);
  const { names, ofRow } = await tokenGroups(run);
  return [...ofRow].map((group) => names[group]);
}

test("rows are live or dead by their tokens, also where chosen tokens alone have rows", async () => {
  const state = [[1], [2], [3]];
  expect(await groupsOf({ states: [state], dead: [1, 70] })).toEqual(["live tokens", "dead tokens", "live tokens"]);
  expect(await groupsOf({ states: [state], tokens: [70, 1, 65], dead: [1, 70] })).toEqual(["dead tokens", "dead tokens", "live tokens"]);
});
