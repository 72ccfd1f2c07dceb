import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { batchedRuns, engineSchema, engines, isEngineDefault, portableRecipe, processesOf } from "../../../src/config/engine-schema.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";

test("every engine has its module in Python, and a section of its own", () => {
  for (const name of engines) {
    expect(existsSync(`python/bh_bridge/engines/${name}.py`), name).toBe(true);
    const engine = engineSchema.parse({ name });
    expect([engine.name, processesOf({ engine })]).toEqual([name, 1]);
  }
});

test("the recipe of engine portable is that of the C code", () => {
  expect(readFileSync("native/portable.h", "utf8")).toContain(`#define BH_RECIPE ${portableRecipe} `);
});

test("batched runs exist only with engine fast", () => {
  const widths = [{}, { name: "fast" }, { name: "fast", batched_runs: 4 }].map((section) => batchedRuns({ engine: engineSchema.parse(section) }));
  expect(widths).toEqual([1, 1, 4]);
  expect(engineSchema.safeParse({ name: "trainer", batched_runs: 1 }).success).toBe(false);
});

test("the defaults of all engines are known by their paths", () => {
  expect([isEngineDefault("engine.exact", "auto"), isEngineDefault("engine.batched_runs", 1)]).toEqual([true, true]);
  expect([isEngineDefault("engine.exact", "off"), isEngineDefault("exact", "auto")]).toEqual([false, false]);
});

test("the first is the one that a configuration has where it names none", () => {
  expect(parseRunConfig({}).engine.name).toBe(engines[0]);
});
