import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatResolved } from "../../../../src/commands/config/config-options.js";
import { terminalColors } from "../../../../src/commands/terminal/terminal.js";
import { resolveRunConfig } from "../../../../src/config/resolve-run-config.js";

const plain = terminalColors(false);

test("each value names who set it, and the preset's value where that differs", async () => {
  const resolved = await resolveRunConfig({ preset: "quick", aliases: { steps: "5" }, set: ["training.fp16=false"] });
  const lines = formatResolved(resolved, plain).split("\n");
  expect(lines[0]).toBe(`# quick, 2 values changed, hash ${resolved.hash.slice(0, 8)}`);
  expect(lines).toContain("seed: 42                                     # default");
  expect(lines).toContain("  max_steps: 5                               # --steps, preset: 800");
  expect(lines).toContain("  fp16: false                                # --set, preset: not set");
});

test("it loads back to the same configuration", async () => {
  const directory = await mkdtemp(join(tmpdir(), "bh-bridge-resolved-"));
  const resolved = await resolveRunConfig({ preset: "clean", set: ["training.lr_scheduler_kwargs={}", 'name="a # b"', "init.kind=snowball"] });
  const file = join(directory, "mine.yaml");
  await writeFile(file, formatResolved(resolved, plain));
  expect((await resolveRunConfig({ file })).config).toEqual(resolved.config);
  await rm(directory, { recursive: true });
});
