import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { analyze } from "../../../src/analysis/analyze.js";
import { openHistory } from "../../../src/runs/open-history.js";
import { readAnalysis, writeAnalysis } from "../../../src/runs/run-analysis.js";
import { oracleCases } from "../analysis/oracle.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();
const histories = oracleCases("histories", 5, 1);

test("what was written is read", async () => {
  const history = await openHistory(histories.file(0));
  const analysis = await analyze(history);
  history.close();
  writeAnalysis(directory, analysis);
  expect(readAnalysis(directory)).toEqual(analysis);
});

test("the part of an analysis that another program registered is read as it stands", () => {
  const path = join(directory, "analysis.json");
  const written: unknown = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify(Object.assign({}, written, { mine: { answer: 42 } })));
  expect(readAnalysis(directory)).toMatchObject({ schema: "bh-bridge/analysis@1", mine: { answer: 42 } });
});

test("a run without an analysis has none, and a file that is something else is told", () => {
  const other = join(directory, "other");
  mkdirSync(other);
  expect(readAnalysis(other)).toBeUndefined();
  writeFileSync(join(other, "analysis.json"), '{"mine":true}');
  expect(() => readAnalysis(other)).toThrow(expect.objectContaining({ code: "RUN_CORRUPT" }));
});
