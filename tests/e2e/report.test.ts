import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AnalysisDocument } from "../../src/analysis/analysis-document.js";
import { reportDocumentSchema } from "../../src/commands/report/report-document.js";
import { type Figure, figureSchema } from "../../src/figures/figure.js";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const small = ["model.n_embd=8", "model.n_layer=1", "model.n_head=2", "model.n_positions=16", "training.per_device_train_batch_size=4"];
const settings = small.flatMap((setting) => ["--set", setting]);
const figures = join(folder.path, "figures");
let trained = "";
let analysis: AnalysisDocument;

const described = (name: string): Figure => figureSchema.parse(JSON.parse(readFileSync(join(figures, `${name}.json`), "utf8")));

beforeAll(async () => {
  const args = ["train", "--device", "cpu", "--threads", "1", "--steps", "40", ...settings, "--out", join(folder.path, "runs"), "--json"];
  const { stdout, stderr } = await run([...args, "--name", "<script>alert(1)</script>"]);
  expect(stdout, stderr).not.toBe("");
  trained = trainResultSchema.parse(JSON.parse(stdout)).run;
  analysis = JSON.parse(readFileSync(join(trained, "analysis.json"), "utf8")) as AnalysisDocument;
});

test("report --figures writes every figure as SVG, PNG, CSV and JSON, and says which", async () => {
  const { exitCode, stdout, stderr } = await run(["report", trained, "--figures", figures, "--json"]);
  expect(exitCode, stderr).toBe(0);
  const document = reportDocumentSchema.parse(JSON.parse(stdout));
  const files = document.figures.flatMap((figure) => figure.files);
  expect([...files, "figures.json"].sort()).toEqual(readdirSync(figures).sort());
  expect(document.figures.map(({ name }) => name)).toEqual(expect.arrayContaining(["loss", "black-holes"]));
});

test("the numbers of a figure are those of the analysis", () => {
  const lines = described("black-holes").panels.flatMap(({ marks }) => marks.flatMap((mark) => (mark.mark === "line" ? [mark.y] : [])));
  expect(lines).toEqual([analysis.timeline?.P, analysis.timeline?.unique, analysis.timeline?.C]);
});

test("the losses are those of the event log", () => {
  const events = readFileSync(join(trained, "events.jsonl"), "utf8").trim().split("\n");
  const losses = events.map((line) => JSON.parse(line) as { type: string; loss: number }).flatMap(({ type, loss }) => (type === "step_end" ? [loss] : []));
  expect(described("loss").panels[0]?.marks[0]).toMatchObject({ x: Array.from({ length: 40 }, (_, step) => step + 1), y: losses });
});

test("a run's name is text, and never an element", () => {
  for (const file of readdirSync(figures).filter((name) => name.endsWith(".svg"))) expect(readFileSync(join(figures, file), "utf8")).not.toContain("<script");
});

test("figures are written again over figures, and never into a folder with other things", async () => {
  expect((await run(["report", trained, "--figures", figures])).exitCode).toBe(0);
  const other = join(folder.path, "other");
  mkdirSync(other);
  writeFileSync(join(other, "mine.txt"), "");
  const { exitCode, stderr } = await run(["report", trained, "--figures", other]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("holds other things than figures");
});
