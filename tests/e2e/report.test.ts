import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AnalysisDocument } from "../../src/analysis/analysis-document.js";
import { reportDocumentSchema } from "../../src/commands/report/report-document.js";
import { type Figure, figureSchema } from "../../src/figures/figure.js";
import { runFigureNames } from "../../src/figures/run-figures.js";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { expectedFrom } from "../unit/formats/reference-python.js";
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
  const tensors = ["--set", 'record.tensors=["wte","wte.grad","wte.exp_avg","wte.exp_avg_sq"]'];
  const args = ["train", ...tensors, "--device", "cpu", "--threads", "1", "--steps", "40", ...settings, "--out", join(folder.path, "runs"), "--json"];
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
  expect(document.figures.map(({ name }) => name)).toEqual([...runFigureNames]);
});

/** The lines of a figure by the names of their series, panel by panel. */
function linesOf(name: string): { panel: string; series: string; x: readonly number[]; y: readonly (number | null)[] }[] {
  const { panels, series } = described(name);
  return panels.flatMap(({ title, marks }) =>
    marks.flatMap((mark) => (mark.mark === "line" ? [{ panel: title, series: series[mark.series]?.name ?? "", x: mark.x, y: mark.y }] : [])),
  );
}

test("the numbers of a figure are those of the analysis", () => {
  const { timeline, geometry, motion, lifecycle, topology } = analysis;
  const values = (name: string) => linesOf(name).map(({ y }) => y);
  expect(values("black-holes")).toEqual([timeline?.P, timeline?.unique, expect.anything(), timeline?.C]);
  const components = linesOf("black-holes")[2]?.y;
  expect([components?.[0], components?.at(-1)]).toEqual([topology?.initial?.components, topology?.final?.components]);
  expect(values("radius")).toEqual([geometry?.maxRadius, geometry?.meanRadius, geometry?.centroidNorm]);
  const [way, ...moves] = values("displacement");
  expect(way?.at(-1)).toBeCloseTo(geometry?.displacement.float64 ?? Number.NaN, 12);
  expect(moves).toEqual([motion?.weight.meanL2, motion?.weight.maxL2, motion?.lattice?.meanL2, motion?.lattice?.maxL2]);
  expect(values("shares")).toEqual([motion?.stillFraction, motion?.frozenFraction, lifecycle?.counts.late.map((tokens) => tokens / 128)]);
  expect(described("topology").caption).toContain(`${topology?.final?.edges} edge`);
});

test("a token's line of cells ends where the analysis says that it freezes", () => {
  const cells = described("freezing").panels[0]?.marks[0];
  if (cells?.mark !== "cells") throw new Error("the figure has no cells");
  const lastMoves = cells.rows.map((row) => Math.max(0, ...[...row].map((level, step) => (level === "0" ? 0 : step + 1))));
  expect(lastMoves).toEqual(analysis.lifecycle?.lateEnd?.map((step) => step ?? 0).toSorted((a, b) => a - b));
});

test("gradient, moments, norms, distances and directions are numpy's", () => {
  const program = `
import json, sys, torch
from safetensors.torch import load_file
run, dead = sys.argv[1], json.load(open(sys.argv[1] + "/run.json"))["corpus"]["deadTokens"]
load = lambda name: next(t for n, t in load_file(f"{run}/{name}.safetensors").items() if t.dim() == 3).double()
w, live = load("history"), [t for t in range(128) if t not in dead]
out = {}
for name, root in (("wte.grad", False), ("wte.exp_avg", False), ("wte.exp_avg_sq", True)):
    lengths = (load("history." + name).sqrt() if root else load("history." + name)).norm(dim=2)
    out[name] = [lengths[:, live].mean(1).tolist(), lengths[:, dead].mean(1).tolist()]
out["norms"] = w[-1].norm(dim=1).sort().values.tolist()
out["distances"] = (w[-1] - w[-1].mean(0)).norm(dim=1).sort().values.tolist()
x = w.reshape(-1, w.shape[2]); x = x - x.mean(0)
variances = torch.linalg.eigvalsh(x.T @ x).flip(0)
out["explained"] = (variances / variances.sum())[:2].tolist()
print(json.dumps(out))`;
  const expected = expectedFrom<Record<string, number[] & number[][]>>(program, trained);
  const close = (found: readonly (number | null)[] | undefined, wanted: readonly number[] | undefined) => {
    expect(found?.length).toBe(wanted?.length);
    for (const [index, value] of (found ?? []).entries()) expect(value).toBeCloseTo(wanted?.[index] ?? Number.NaN, 6);
  };
  const optimizer = linesOf("optimizer").map(({ y }) => y);
  for (const [index, name] of ["wte.grad", "wte.exp_avg", "wte.exp_avg_sq"].entries()) {
    close(optimizer[2 * index], expected[name]?.[0]);
    close(optimizer[2 * index + 1], expected[name]?.[1]);
  }
  const last = linesOf("distributions").filter(({ series }) => series === "step 40");
  for (const [index, name] of ["norms", "distances"].entries()) close(last[index]?.x.slice(1, -1), [...new Set<number>(expected[name])]);
  const [across, up] = [described("cloud").panels[0]?.x.label, described("cloud").panels[0]?.y.label].map((label) => Number(/ (\d+) %/.exec(label ?? "")?.[1]));
  expect([across, up]).toEqual(expected["explained"]?.map((share) => Math.round(100 * share)));
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
