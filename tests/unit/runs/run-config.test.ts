import { createHash } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { corpusIdentity, readRunConfig, runConfigText, trialIdentity, trialOfRun } from "../../../src/runs/run-config.js";
import type { RunManifest } from "../../../src/runs/run-manifest.js";
import { temporaryDirectory } from "../formats/reference-python.js";

function runWith(text: string): string {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "config.json"), text);
  return directory;
}

test("what is written is read back as it was, complete", () => {
  const config = parseRunConfig({ name: "é", seed: 7, training: { learning_rate: 1e-7 }, record: { rows: [3, 5] } });
  const text = runConfigText(config, "/elsewhere/runs/a");
  expect(readRunConfig(runWith(text))).toEqual(config);
  expect(text.endsWith("}\n")).toBe(true);
  expect(JSON.parse(text)).toMatchObject({ seed: 7, device: "auto", record: { rows: [3, 5] } });
});

test("fields that an earlier version did not have get their defaults", () => {
  expect(readRunConfig(runWith('{"seed": 3}'))).toEqual(parseRunConfig({ seed: 3 }));
});

test("a `$schema` for editors is no part of the configuration", () => {
  expect(readRunConfig(runWith('{"$schema": "./config.schema.json", "seed": 3}'))).toEqual(parseRunConfig({ seed: 3 }));
});

test("in the project of the package, `$schema` leads from the run to the JSON Schema; elsewhere there is none", () => {
  const config = parseRunConfig({ seed: 3 });
  const schemaIn = (directory: string) => JSON.parse(runConfigText(config, directory)).$schema as string | undefined;
  const run = resolve("runs/2026-a");
  expect(schemaIn(run)).toBe("../../schemas/config.schema.json");
  expect(existsSync(resolve(run, "../../schemas/config.schema.json"))).toBe(true);
  expect([schemaIn("/elsewhere/runs/a"), schemaIn(resolve("../runs/a"))]).toEqual([undefined, undefined]);
  expect(readRunConfig(runWith(runConfigText(config, run)))).toEqual(config);
});

test.each([
  ["a value that no configuration has", '{"seed": -1}', "seed"],
  ["a field of no version", '{"sead": 1}', "sead"],
  ["no JSON", "{", "not JSON"],
])("%s makes the run corrupt, and the file is named", (_, text, reason) => {
  const directory = runWith(text);
  expect(() => readRunConfig(directory)).toThrow(
    expect.objectContaining({ code: "RUN_CORRUPT", message: expect.stringMatching(new RegExp(`config\\.json.*${reason}`, "s")) }),
  );
});

test("without the file there is no run", () => {
  expect(() => readRunConfig(temporaryDirectory())).toThrow(expect.objectContaining({ code: "RUN_NOT_FOUND" }));
});

const facts = { configHash: "c0ffee", corpus: "beef", device: "cuda", threads: 2 };

test("it is the beginning of a SHA-256 of everything that decides bits", () => {
  expect(trialIdentity(facts)).toBe(createHash("sha256").update("c0ffee\nbeef\ncuda\n2").digest("hex").slice(0, 16));
  const changes = [{ configHash: "c" }, { corpus: "c" }, { device: "cpu" }, { threads: 1 }];
  const all = [facts, ...changes.map((change) => ({ ...facts, ...change }))].map(trialIdentity);
  expect(new Set(all).size).toBe(5);
});

test("a run is of the trial that its configuration, text, kind of device and threads make", () => {
  const manifest = { config_hash: "c0ffee", corpus: { sha256: "beef" }, environment: { device: "cuda: NVIDIA H100", threads: 2 } } as RunManifest;
  expect(trialOfRun(manifest)).toBe(trialIdentity(facts));
});

test("another tokenizer makes other tokens of a text", () => {
  const tokenizer = { path: "/tokenizer.json", sha256: "f00d", vocabulary: 9, unreachable: [] };
  expect(corpusIdentity({ sha256: "beef" })).toBe("beef");
  expect(corpusIdentity({ sha256: "beef", tokenizer })).toBe("beef f00d");
});
