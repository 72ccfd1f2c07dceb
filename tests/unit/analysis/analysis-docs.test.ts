import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ownAnalyses } from "../../../src/analysis/analyses.js";

const text = readFileSync("docs/analysis.md", "utf8");

test("it explains every analysis, by its name", () => {
  for (const { name } of ownAnalyses) expect(text).toContain(`**${name}**`);
});
