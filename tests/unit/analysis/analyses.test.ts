import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { allAnalyses, allSeries, ownAnalyses } from "../../../src/analysis/analyses.js";
import { partOf } from "../../../src/analysis/analysis.js";
import { analyze } from "../../../src/analysis/analyze.js";
import { memoryHistory } from "./memory-source.js";

const history = memoryHistory("BF16", [3, 2, 2], new Uint8Array(Uint16Array.of(0x3f80, 0, 0x3f80, 0, 0x3f81, 0, 0x3f80, 0, 0x3f81, 0, 0x3f81, 0).buffer));
/** bh-bridge's own, each as an analysis of any kind. */
const own = allAnalyses().slice(0, ownAnalyses.length);

test("bh-bridge's own analyses come first, each under a name of its own that is no field of the document's head", async () => {
  expect(own).toEqual([...ownAnalyses]);
  const names = allAnalyses().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const { notes, ...head } = await analyze(history, { only: [] });
  expect(names.filter((name) => name in head || name === "notes")).toEqual([]);
});

test("an observation that workers are to load is exported by the module that it names", async () => {
  for (const { name, observation } of own) {
    if (observation) expect((await import(observation.module ?? "")).observation, name).toBe(observation);
  }
});

test("each makes its part alone when it alone is asked for, as its schema has it, and tells it to people", async () => {
  for (const analysis of own) {
    if (analysis.isOnRequest) continue;
    const document = await analyze(history, { only: [analysis.name] });
    const others = own.filter(({ name }) => name !== analysis.name).map((other) => partOf(document, other));
    expect(
      others.filter((part) => part !== undefined),
      analysis.name,
    ).toEqual([]);
    const part = partOf(document, analysis);
    expect(analysis.schema.parse(part), analysis.name).toEqual(part);
    expect(analysis.print(part, (state) => state).length, analysis.name).toBeGreaterThan(0);
  }
});

test("the charts of the page are generated from the analyses", () => {
  expect(() => execFileSync(process.execPath, ["scripts/generate-charts.mjs", "--check"], { stdio: "pipe" })).not.toThrow();
});

test("a series has one name in all analyses, and every chart, figure and live measure refers to series of its own analysis", () => {
  const names = allSeries.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { series = {}, charts = [], figures = [], live } of own) {
    const used = [
      ...charts.flatMap((chart) => chart.series),
      ...figures.flatMap(({ panels }) => panels.flatMap(({ lines }) => Object.values(lines))),
      ...(live?.series ?? []),
    ];
    expect(used.filter((name) => !Object.hasOwn(series, name))).toEqual([]);
    const unmeasured = Object.entries(series).filter(([name, { of }]) => of === undefined && !live?.series.includes(name));
    expect(unmeasured).toEqual([]);
  }
});
