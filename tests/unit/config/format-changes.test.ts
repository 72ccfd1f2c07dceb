import { expect, test } from "vitest";
import { terminalColors } from "../../../src/commands/terminal/terminal.js";
import { formatChanges, formatDifference } from "../../../src/config/annotated-yaml.js";
import { diffRunConfigs } from "../../../src/config/config-hash.js";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";
import type { RunConfig } from "../../../src/config/run-config-schema.js";

const plain = terminalColors(false);

test("the changes are counted and listed, each with old value, new value and source", async () => {
  const resolved = await resolveRunConfig({ aliases: { steps: "300" }, set: ["record.rows=[1]", "init.kind=snowball"] });
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
  expect(formatChanges(await resolveRunConfig({ preset: "quick" }), plain)).toBe("Configuration: quick, unchanged");
});

test.each([
  ["a list instead of an object", {}, [1], "list"],
  ["an object with fields instead of a text", "scheduler.json", { power: 2 }, "text → object"],
])("%s is another type", (_, before, after, told) => {
  const config = (value: unknown) => ({ training: { lr_scheduler_kwargs: value } }) as unknown as RunConfig;
  const path = "training.lr_scheduler_kwargs";
  const difference = diffRunConfigs(config(before), config(after)).find((each) => each.path === path);
  expect(difference && formatDifference(difference, path.length, plain)).toMatch(new RegExp(`type changed: .*${told}`));
});

test("fields that come and go with a value of another kind, and null, are no change of type", () => {
  const config = (value: unknown) => ({ training: { lr_scheduler_kwargs: value } }) as unknown as RunConfig;
  for (const [before, after] of [
    [{ power: 2 }, { power: 3 }],
    [null, { power: 2 }],
    [{ power: 2 }, null],
  ]) {
    expect(diffRunConfigs(config(before), config(after)).map(({ typeChanged }) => typeChanged)).not.toContain(true);
  }
});
