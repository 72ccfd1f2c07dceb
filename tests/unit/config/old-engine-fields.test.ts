import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { configHash, diffRunConfigs } from "../../../src/config/config-hash.js";
import { engineSchema } from "../../../src/config/engine-schema.js";
import { assignmentLayer } from "../../../src/config/layers.js";
import { presentPath } from "../../../src/config/old-engine-fields.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { type ConfigSources, resolveRunConfig, storedBase } from "../../../src/config/resolve-run-config.js";
import { runConfigSchema } from "../../../src/config/run-config-schema.js";
import { laidOver } from "../../../src/sweep/plan/plan-trials.js";
import { temporaryDirectory } from "../formats/reference-python.js";

/** `config.json` of runs of 0.2.0 and their hashes, as that version computed them. */
const recorded: { name: string; hash: string; config: Record<string, unknown> }[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "configurations-of-0.2.0.json"), "utf8"),
);

const engineOf = async (sources: ConfigSources) => (await resolveRunConfig(sources)).config.engine;

describe.each(recorded)("a configuration of 0.2.0: $name", ({ hash, config }) => {
  test("is read, and keeps its hash in both forms", () => {
    const now = parseRunConfig(config);
    expect(configHash(now)).toBe(hash);
    expect(runConfigSchema.parse(config)).toEqual(now);
    const written = JSON.parse(JSON.stringify(now));
    expect(Object.keys(written)).toEqual([
      "seed",
      "device",
      "threads",
      "engine",
      "seeds",
      "data",
      "model",
      "init",
      "noise",
      "training",
      "record",
      "checkpoint",
      "track",
    ]);
    expect(configHash(parseRunConfig(written))).toBe(hash);
  });
});

test("old fields are in the section of the engine that was chosen, wherever they were written", async () => {
  const fast = { name: "fast", compile: "off", graph: "off", batched_runs: 2, processes: 1 };
  const set = ["engine=fast", "compiled_step=off", "graphed_step=off", "stack=2", "exact_step=off"];
  expect(await engineOf({ set })).toEqual(fast);
  expect(await engineOf({ set: set.toReversed() })).toEqual(fast);
  expect(await engineOf({ input: { engine: "fast", compiled_step: "off", graphed_step: "off", stack: 2 } })).toEqual(fast);
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "old.yaml"), "engine: fast\ncompiled_step: off\ngraphed_step: off\nstack: 2\n");
  expect(await engineOf({ file: join(directory, "old.yaml") })).toEqual(fast);
  expect(await engineOf({ set: ["exact_step=off", "processes=2"] })).toEqual({ name: "trainer", exact: "off", graph: "auto", processes: 2 });
});

test("of an old field and its successor the stronger source holds", async () => {
  const input = { exact_step: "off", processes: 2 } as const;
  expect(await engineOf({ input, set: ["engine.exact=auto"] })).toMatchObject({ exact: "auto", processes: 2 });
  expect(await engineOf({ input: { engine: { exact: "off" } }, set: ["exact_step=auto"], aliases: { nproc: "4" } })).toMatchObject({
    exact: "auto",
    processes: 4,
  });
});

test("another engine keeps the settings that it shares, and those that were written for it", async () => {
  const input = { graphed_step: "off", compiled_step: "on", exact_step: "off" } as const;
  expect(await engineOf({ input, aliases: { engine: "fast" } })).toMatchObject({ name: "fast", graph: "off", compile: "on" });
  expect(await engineOf({ input: { engine: { name: "fast", compile: "on", graph: "off" } }, aliases: { engine: "trainer" } })).toEqual(
    engineSchema.parse({ name: "trainer", graph: "off" }),
  );
});

test("a plan of an earlier version gives its trials the settings that its base has for their engine", () => {
  const stored = JSON.parse(JSON.stringify({ ...parseRunConfig({}), engine: "trainer", compiled_step: "off", exact_step: "off" }));
  const base = storedBase(stored, "quick");
  expect(base.config.engine).toMatchObject({ name: "trainer", exact: "off" });
  const over = (value: string) => laidOver(base, assignmentLayer([{ path: "engine", value, source: "grid" }]));
  expect(over("fast").engine).toMatchObject({ name: "fast", compile: "off" });
  expect(over("trainer").engine).toMatchObject({ name: "trainer", exact: "off" });
});

test("what was harmless still is; what was an error is one of the section", async () => {
  expect((await resolveRunConfig({ set: ["compiled_step=on", "stack=1"] })).hash).toBe((await resolveRunConfig()).hash);
  await expect(resolveRunConfig({ set: ["stack=2"] })).rejects.toMatchObject({
    issues: [{ path: "engine.batched_runs", message: 'engine.name "trainer" has no batched_runs: set engine.name to fast', source: "--set" }],
  });
  await expect(resolveRunConfig({ set: ["exact_step=on"] })).rejects.toMatchObject({ issues: [{ path: "engine.exact", source: "--set" }] });
  await expect(resolveRunConfig({ set: ["compiled_step=maybe"] })).rejects.toMatchObject({ issues: [{ path: "engine.compile", source: "--set" }] });
});

test("another engine is one difference, and each setting that is not the default another", () => {
  const paths = (engine: object) => diffRunConfigs(parseRunConfig({}), parseRunConfig({ engine })).map(({ path }) => path);
  expect(paths({ name: "fast" })).toEqual(["engine.name"]);
  expect(paths({ name: "fast", compile: "on" })).toEqual(["engine.name", "engine.compile"]);
});

test("the source of an old field is told for its successor", async () => {
  const { sources, changes } = await resolveRunConfig({ set: ["exact_step=off"], aliases: { engine: "trainer" } });
  expect([sources.get("engine.exact"), sources.get("engine.name"), sources.get("engine.graph")]).toEqual(["--set", "--engine", "default"]);
  expect(changes).toMatchObject([{ path: "engine.exact", before: "auto", after: "off", source: "--set" }]);
});

test("paths of earlier versions lead to the fields of today", () => {
  expect(["engine", "stack", "processes", "seed"].map(presentPath)).toEqual(["engine.name", "engine.batched_runs", "engine.processes", "seed"]);
});
