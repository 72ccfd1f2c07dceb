import { expect, test } from "vitest";
import { experimentPage, sweepPage } from "../../../src/report/many-pages.js";
import type { Block, Page } from "../../../src/report/page.js";
import { readExperiment } from "../../../src/report/report-page.js";
import { Ledger } from "../../../src/sweep/ledger.js";
import { sweepDocument } from "../../../src/sweep/sweep-document.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeExperiment } from "../serve/written-experiment.js";
import { deadRows } from "../serve/written-run.js";
import { sweepTrial } from "../sweep/sweep-trial.js";

const blocksOf = (page: Page, title: string) => page.sections.find((section) => section.title === title)?.blocks ?? [];
const tablesOf = (blocks: readonly Block[]) => blocks.flatMap((block) => (block.kind === "table" ? [block] : []));

const directory = writeExperiment(temporaryDirectory());
{
  const { result } = sweepTrial({}, 2);
  using ledger = new Ledger(directory);
  for (const arm of ["plain", "scaled"]) ledger.append({ trial: `trial-${arm}`, status: "completed", run: `runs/${arm}`, ...(result && { result }) });
}
const experiment = await readExperiment(directory, { workers: 0 });

test("an experiment says its verdict, its control and its rules first", () => {
  const page = experimentPage(experiment, []);
  expect(page.verdict).toEqual({ result: "inconclusive", reason: "scaled against plain: inconclusive" });
  const [verdict] = tablesOf(blocksOf(page, "Verdict"));
  expect(verdict?.rows).toEqual([
    [
      "scaled",
      "inconclusive: neither a difference from plain nor its absence is shown",
      "P in no pair",
      "plain lacks 1 run (seed 2); scaled lacks 1 run (seed 1)",
    ],
  ]);
  expect(Object.fromEntries(page.summary)).toMatchObject({ Control: "plain", Treatments: "scaled", Seeds: "2: 1, 2" });
  expect(blocksOf(page, "Rules and reason")[0]).toEqual({ kind: "list", items: experiment.verdict.rules });
});

test("every run has its line, and every measure that some run has", () => {
  const page = experimentPage(experiment, []);
  const [runs] = tablesOf(blocksOf(page, "Runs"));
  expect(runs?.rows.map(([arm, seed, , C, P, , , run]) => [arm, seed, C, P, run])).toEqual([
    ["plain", "1", "1", String(deadRows.length), "plain"],
    ["scaled", "2", "1", String(deadRows.length), "scaled"],
  ]);
  const [measures] = tablesOf(blocksOf(page, "Measures"));
  expect(measures?.head[2]).toBe("plain");
  expect(measures?.rows.find(([measure]) => measure === "P *")?.slice(0, 5)).toEqual(["P *", "scaled", "8 (1)", "8 (1)", "–"]); // no seed has both arms
});

test("confounds stand with what removes them, and their absence is said", () => {
  const confound = { arm: "scaled", what: "CPU threads", control: "1", treatment: "2", remove: null, seeds: [1] };
  const tables = tablesOf(blocksOf(experimentPage({ ...experiment, confounds: [confound], traps: [] }, []), "Confounds"));
  expect(tables.map(({ rows }) => rows)).toEqual([[["scaled", "CPU threads", "1", "2", "no option"]]]);
  expect(blocksOf(experimentPage({ ...experiment, confounds: [], traps: [] }, []), "Confounds")).toEqual([
    { kind: "text", text: "None: the arms differ only in their settings." },
  ]);
});

test("the command that makes an experiment again works in a shell, whatever its name", () => {
  const [block] = blocksOf(experimentPage({ ...experiment, name: "it's; rm" }, []), "Reproduce it");
  expect(block).toEqual({ kind: "code", text: `bh-bridge experiment 'it'\\''s; rm' --seeds 1,2` });
});

test("a page that is sent to others names no folder of this machine", () => {
  expect(JSON.stringify(experimentPage(experiment, []).data["experiment"] as object)).not.toContain(`"directory":"${directory}"`);
  const trials = [sweepTrial({ seed: 1 }, 2, { run: "/home/ann/sweeps/x/runs/a" })];
  expect(JSON.stringify(sweepPage(sweepDocument("sigma", "/home/ann/sweeps/x", trials), []))).not.toContain("/home/ann");
});

test("a sweep says what became of its trials, and why some failed", () => {
  const trials = [
    sweepTrial({ "init.sigma": 1 }, 2),
    sweepTrial({ "init.sigma": 2 }, 3),
    sweepTrial({ "init.sigma": 3 }, null, { trial: "t3", status: "failed", run: null, result: null, reason: "PYTHON_CRASHED: no memory\nTraceback" }),
  ];
  const page = sweepPage(sweepDocument("sigma", null, trials), []);
  expect(page.summary).toEqual([["Trials", "3 trials: 2 completed, 1 failed"]]);
  expect(blocksOf(page, "Failed")).toEqual([{ kind: "list", items: ["sigma 3 (t3): PYTHON_CRASHED: no memory"] }]);
  expect(tablesOf(blocksOf(page, "Points"))[0]?.rows).toHaveLength(3);
  expect(sweepPage(sweepDocument("sigma", null, trials.slice(0, 2)), []).sections.map(({ title }) => title)).toEqual(["Figures", "Points"]);
});
