import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { analyze } from "../../../src/analysis/analyze.js";
import { openHistory } from "../../../src/runs/open-history.js";
import { readAnalysis, recordedRun, writeAnalysis } from "../../../src/runs/recorded-run.js";
import { oracleCases } from "../analysis/oracle.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

const directory = temporaryDirectory();

test("a run tells what it recorded, later or at once; its damaged files are read only by those who ask for what is in them", async () => {
  const run = join(directory, "run");
  mkdirSync(run);
  expect(recordedRun(run)).toBeUndefined();
  const names = ["config.json", "run.json", "history.safetensors", "history.wte.grad.safetensors", "history.wte.exp_avg.3-20.safetensors"];
  for (const name of names) writeFileSync(join(run, name), "damaged");
  const found = recordedRun(run);
  expect([...(found?.tensors ?? [])].sort()).toEqual(["wte", "wte.exp_avg", "wte.grad"]);
  expect(() => found?.config).toThrow("config.json is damaged");
  expect(() => found?.deadTokens).toThrow("run.json");
  await expect(found?.open("wte.exp_avg_sq")).rejects.toThrow(`${run} did not record wte.exp_avg_sq`);
});

test("a file that does not have the checksums beside it is told of; one that is as it was recorded is not", async () => {
  const run = writeRun({ folder: directory, id: "checked", steps: 8, dims: 4 });
  const found = recordedRun(run);
  expect(await found?.damage?.("wte")).toEqual([]);
  expect(await found?.damage?.("wte.grad")).toEqual([]); // it was not recorded
  const path = join(run, "history.safetensors");
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(path, bytes);
  expect(await found?.damage?.("wte")).toEqual([expect.stringMatching(/history\.safetensors: state \d+ \(step \d+\) has CRC-32 [0-9a-f]{8}, recorded was/)]);
});

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
