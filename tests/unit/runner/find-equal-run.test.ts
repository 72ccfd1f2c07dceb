import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { corpusOf } from "../../../src/bridge/corpus.js";
import { loadRunConfig } from "../../../src/bridge/load-run-config.js";
import { equalRunOf } from "../../../src/runner/find-equal-run.js";
import { runConfigText } from "../../../src/runs/run-config.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

/** Device and threads are given: no Python is asked. */
const resolved = await loadRunConfig({ input: { preset: "quick", device: "cpu", threads: 1 } });
const corpus = await corpusOf(resolved);
const noPython = () => Promise.reject(new Error("Python was asked for"));

/** A complete run of that configuration. */
function complete(out: string, id: string, over: object = {}, status: "completed" | "stopped" = "completed"): string {
  const run = writeRun({ folder: out, id, steps: 2, status });
  const path = join(run, "run.json");
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...manifest, config_hash: resolved.hash, corpus: { ...manifest.corpus, sha256: corpus.sha256 }, ...over }));
  writeFileSync(join(run, "config.json"), runConfigText(resolved.config, run));
  return run;
}

const find = (out: string, startFrom?: string) => equalRunOf(resolved, noPython, { out, ...(startFrom !== undefined && { startFrom }) });

test("the newest complete run that trained the same is found, whatever it is called", async () => {
  const out = temporaryDirectory();
  complete(out, "a");
  const newest = complete(out, "b", { name: "another" });
  complete(out, "c", {}, "stopped");
  expect(await find(out)).toBe(newest);
});

test("one of another configuration, text, device, number of threads or changed model is not the same", async () => {
  const out = temporaryDirectory();
  const { environment, corpus: text } = JSON.parse(readFileSync(join(complete(temporaryDirectory(), "x"), "run.json"), "utf8"));
  complete(out, "config", { config_hash: "1".repeat(64) });
  complete(out, "text", { corpus: { ...text, sha256: "1".repeat(64) } });
  complete(out, "device", { environment: { ...environment, device: "cuda:0 (H100)" } });
  complete(out, "threads", { environment: { ...environment, threads: 2 } });
  complete(out, "model", { model_changes: ["a head was replaced"] });
  expect(await find(out)).toBeUndefined();
});

test("one that began elsewhere is not the same, unless this one begins there too", async () => {
  const out = temporaryDirectory();
  const begun = complete(out, "begun", { start_from: "/checkpoints/x" });
  expect(await find(out)).toBeUndefined();
  expect(await find(out, "/checkpoints/../checkpoints/x")).toBe(begun);
  expect(await find(out, "/checkpoints/y")).toBeUndefined();
});

test("in an empty folder nothing is read or started to know", async () => {
  const unreadable = { ...resolved, config: { ...resolved.config, device: "auto" as const, data: { ...resolved.config.data, corpus: "/nowhere" } } };
  expect(await equalRunOf(unreadable, noPython, { out: temporaryDirectory() })).toBeUndefined();
});
