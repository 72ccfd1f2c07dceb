import { expect, test } from "vitest";
import { terminalColors } from "../../../src/commands/terminal/terminal-text.js";
import { formatChanges } from "../../../src/config/format-changes.js";
import { loadRunConfig } from "../../../src/config/load-run-config.js";

const plain = terminalColors(false);

test("the changes are counted and listed, each with old value, new value and source", async () => {
  const resolved = await loadRunConfig({ aliases: { steps: "300" }, set: ["record.rows=[1]", "init.kind=snowball"] });
  expect(formatChanges(resolved, plain)).toBe(
    [
      "Changed from rmsnorm-11.2a: 4 values",
      "  init.kind           singular → snowball  (--set)",
      "  training.max_steps  10000 → 300  (--steps)",
      "  record.rows         all → [1] (type changed: text → list)  (--set)",
      "  init.sigma          (not set) → 1e-5  (default)",
    ].join("\n"),
  );
});

test("a preset as it is has no changes", async () => {
  expect(formatChanges(await loadRunConfig({ preset: "quick" }), plain)).toBe("Configuration: quick, unchanged");
});
