import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { engines, enginesInWords } from "../../../src/config/engines.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";

test("every engine has its module in Python, and people are told of it", () => {
  for (const engine of engines) {
    expect(existsSync(`python/bh_bridge/engines/${engine}.py`), engine).toBe(true);
    expect(enginesInWords).toContain(`\`${engine}\``);
  }
});

test("the first is the one that a configuration has where it names none", () => {
  expect(parseRunConfig({}).engine).toBe(engines[0]);
});
