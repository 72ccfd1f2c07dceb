import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { reportSubject } from "../../../src/report/report-page.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeExperiment } from "../serve/written-experiment.js";
import { writeRun } from "../serve/written-run.js";

const out = temporaryDirectory();
const run = writeRun({ folder: out, id: "2026-rmsnorm" });
const experiment = writeExperiment(out);

test("runs are meant by their paths and by beginnings of their names, each once", async () => {
  expect(await reportSubject(["2026-rms", run, relative(".", run)], out)).toEqual({ kind: "runs", runs: [run] });
});

test("a directory with a plan is an experiment or a sweep, and stands alone", async () => {
  expect(await reportSubject([relative(".", experiment)], out)).toEqual({ kind: "experiment", directory: experiment });
  await expect(reportSubject([run, experiment], out)).rejects.toMatchObject({ code: "USAGE" });
});

test("a run of an experiment is a run, and what is nothing is told", async () => {
  const inside = join(experiment, "runs", "plain");
  expect(await reportSubject([inside], out)).toEqual({ kind: "runs", runs: [inside] });
  await expect(reportSubject(["nothing"], out)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
});
