import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadSweep } from "../../../src/sweep/grammar/load-sweep.js";
import { trialStatuses } from "../../../src/sweep/ledger.js";
import { prunedMetrics } from "../../../src/sweep/prune/prune-condition.js";
import { codeBlocks } from "../../code-blocks.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const text = readFileSync("docs/many-runs.md", "utf8");

test("its YAML is a sweep: 14 of 16 combinations, a case and three draws, with two seeds each", async () => {
  const cwd = temporaryDirectory();
  const [yaml = ""] = codeBlocks(text, "yaml");
  writeFileSync(join(cwd, "sigma.yaml"), yaml);
  expect((await loadSweep({ file: "sigma.yaml", cwd })).points).toHaveLength(36);
});

test("it names every status and everything that a condition compares", () => {
  expect(trialStatuses.filter((status) => !text.includes(`| \`${status}\` |`))).toEqual([]);
  expect(prunedMetrics.filter((metric) => !new RegExp(`\`${metric} [<>]=? `).test(text))).toEqual([]);
});
