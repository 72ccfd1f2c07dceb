import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeReport } from "../../../src/report/report-page.js";
import { Ledger } from "../../../src/sweep/ledger.js";
import { writeRunOfStates } from "../figures/run-of-states.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeExperiment } from "../serve/written-experiment.js";
import { sweepTrial } from "../sweep/sweep-trial.js";

const states = [
  [
    [1, 1],
    [2, 5],
    [3, 2],
  ],
  [
    [1, 1],
    [2, 5],
    [2, 5],
  ],
];

/** An experiment whose trials have completed. */
function experiment(): string {
  const directory = writeExperiment(temporaryDirectory());
  const { result } = sweepTrial({}, 2);
  using ledger = new Ledger(directory);
  for (const arm of ["plain", "scaled"]) ledger.append({ trial: `trial-${arm}`, status: "completed", run: `runs/${arm}`, ...(result && { result }) });
  return directory;
}

const drawn = (sections: Awaited<ReturnType<typeof makeReport>>["page"]["sections"]) =>
  sections.flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === "figure" ? [block.figure.name] : [])));

test("a report of one run has all of its figures, and says of each other why it has none", async () => {
  const { page, figures } = await makeReport({ kind: "runs", runs: [writeRunOfStates({ states })] }, { workers: 0 });
  expect(drawn(page.sections)).toEqual(figures.flatMap((made) => ("figure" in made ? [made.figure.name] : [])));
  expect(figures.flatMap((made) => ("absent" in made ? [made.name] : []))).toEqual(["rank-curve", "optimizer", "adamw", "dead-mass", "sky", "topology"]);
  expect(page.verdict).not.toBeNull();
});

test("a report of several runs tells them apart by what differs", async () => {
  const runs = [1, 2].map((seed) => {
    const directory = writeRunOfStates({ states });
    const path = join(directory, "config.json");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), seed }));
    return directory;
  });
  const { page } = await makeReport({ kind: "runs", runs }, { workers: 0 });
  expect(page.title).toBe("2 runs");
  expect(page.summary.map(([label]) => label)).toEqual(["made-up · seed 1", "made-up · seed 2"]);
});

test("a report of an experiment has its arms, and one of the same trials as a sweep their points", async () => {
  const directory = experiment();
  const judged = await makeReport({ kind: "experiment", directory }, { workers: 0 });
  expect(drawn(judged.page.sections)).toEqual(["forest", "verdicts", "arms", "measures", "forest-others"]);
  expect(judged.page.verdict?.result).toBeDefined();
  const swept = await makeReport({ kind: "sweep", directory });
  expect(swept.page.sections.map(({ title }) => title)).toContain("Points");
});

test("a run that cannot be read is told, whatever came before it", async () => {
  const runs = [writeRunOfStates({ states }), "/nowhere"];
  await expect(makeReport({ kind: "runs", runs }, { workers: 0 })).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
});
