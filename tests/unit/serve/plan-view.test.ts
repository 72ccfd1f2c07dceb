import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { drawingOfFigure } from "../../../src/figures/svg-of-figure.js";
import { readExperiment } from "../../../src/report/report-page.js";
import { noLockHolders } from "../../../src/runs/scan-runs.js";
import { Catalogue } from "../../../src/serve/catalogue.js";
import { PlanFigures, PlanRows, planDocument } from "../../../src/serve/plan-view.js";
import { Ledger } from "../../../src/sweep/ledger.js";
import { sweepTrial } from "../sweep/sweep-trial.js";
import { writeExperiment } from "./written-experiment.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-plans-"));
const directory = writeExperiment(folder);
afterAll(() => rmSync(folder, { recursive: true }));

test("an experiment is told by its arms, and each trial by its run's id", async () => {
  const shelf = await new Catalogue([folder]).shelf();
  const [plan] = shelf.plans;
  if (!plan) throw new Error("no plan");
  const document = await planDocument(plan, shelf, noLockHolders);
  expect(document).toMatchObject({ kind: "experiment", name: "norms", directory: "norms-ab", arms: ["plain", "scaled"], seeds: [1, 2], verdict: null });
  const idOf = (name: string) => shelf.runs.find(({ row }) => row.name === name)?.id;
  expect(document.trials.map(({ arm, seed, run }) => [arm, seed, run])).toEqual([
    ["plain", 1, idOf("run of plain")],
    ["scaled", 2, idOf("run of scaled")],
  ]);
  expect(shelf.runs.map((run) => run.plan)).toEqual([plan.id, plan.id]);
});

test("a verdict of an earlier version, by rules that have changed, is not shown as one", async () => {
  const written = join(directory, "result.json");
  const catalogue = new Catalogue([folder]);
  const shelf = await catalogue.shelf();
  const [plan] = shelf.plans;
  if (!plan) throw new Error("no plan");
  const concluded = await readExperiment(directory, { workers: 0 });
  const judgedBy = async (rules: readonly string[]) => {
    writeFileSync(written, JSON.stringify({ ...concluded, verdict: { ...concluded.verdict, result: "null", rules } }));
    return await planDocument(plan, shelf, noLockHolders);
  };
  const earlier = await judgedBy(["null: the interval lies inside the margin"]);
  expect(earlier).toMatchObject({
    verdict: "inconclusive",
    judged: { verdict: { reason: expect.stringContaining("an earlier version judged this experiment (null)") } },
  });
  expect(earlier.judged?.verdict.arms).toMatchObject([
    {
      arm: "scaled",
      result: "inconclusive",
      answer: `an earlier version judged ${concluded.verdict.arms[0]?.result} by rules that have changed`,
      evidence: concluded.verdict.arms[0]?.evidence,
      missing: expect.stringContaining("run the experiment again"),
    },
  ]);
  expect((await judgedBy(concluded.verdict.rules)).verdict).toBe("null");
  rmSync(written);
});

test("an experiment that an earlier version has judged in one long reason has its three lines, from the stored measures", async () => {
  const written = join(directory, "result.json");
  const shelf = await new Catalogue([folder]).shelf();
  const [plan] = shelf.plans;
  if (!plan) throw new Error("no plan");
  const concluded = await readExperiment(directory, { workers: 0 });
  const arms = concluded.verdict.arms.map(({ arm, result, reason }) => ({ arm, result, reason }));
  writeFileSync(written, JSON.stringify({ ...concluded, verdict: { ...concluded.verdict, arms } }));
  const { judged } = await planDocument(plan, shelf, noLockHolders);
  expect(concluded.verdict.arms[0]?.missing).toContain("lacks");
  expect(judged?.verdict.arms).toEqual(concluded.verdict.arms);
  rmSync(written);
});

test("the row of a plan that cannot be read says why, and the others stay", async () => {
  const catalogue = new Catalogue([folder]);
  const rows = new PlanRows();
  const shelf = await catalogue.shelf();
  expect(await rows.of(shelf, noLockHolders)).toMatchObject([{ name: "norms", problem: null }]);
  writeFileSync(join(directory, "plan.json"), "{");
  expect(await rows.of(shelf, noLockHolders)).toMatchObject([{ name: "norms-ab", problem: expect.stringContaining("plan.json") }]);
});

test("an experiment's figures are drawn for the width of the page, without inline styles, and made again when a run is complete", async () => {
  const own = mkdtempSync(join(tmpdir(), "bh-bridge-figures-"));
  try {
    const written = writeExperiment(own);
    const [plan] = (await new Catalogue([own]).shelf()).plans;
    if (!plan) throw new Error("no plan");
    const figures = new PlanFigures();
    await expect(figures.of(plan, "verdicts")).rejects.toThrow('this experiment has no run for the figure "verdicts" yet');
    await expect(figures.of(plan, "loss")).rejects.toThrow("name must be one of forest, evidence, verdicts, forest-others");
    const complete = (arm: string) => {
      const { result } = sweepTrial({}, 2);
      using ledger = new Ledger(written);
      ledger.append({ trial: `trial-${arm}`, status: "completed", run: `runs/${arm}`, ...(result && { result }) });
    };
    complete("plain");
    const [first, again] = [figures.of(plan, "verdicts"), figures.of(plan, "verdicts")];
    expect(again).toBe(first);
    expect((await first).panels.map(({ title }) => title)).toEqual(["plain, seed 1"]);
    complete("scaled");
    expect((await figures.of(plan, "verdicts")).panels.map(({ title }) => title)).toEqual(["plain, seed 1", "scaled, seed 2"]);
    const drawing = drawingOfFigure(await figures.of(plan, "forest"), 320);
    expect(drawing).toContain('viewBox="0 0 320 ');
    expect(drawing).not.toMatch(/<style|style="/);
  } finally {
    rmSync(own, { recursive: true });
  }
});
