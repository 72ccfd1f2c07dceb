import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadRunConfig } from "../../../src/bridge/load-run-config.js";
import { presetNames } from "../../../src/config/presets.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();
const runWith = (config: string): string => {
  const run = mkdtempSync(join(directory, "run-"));
  writeFileSync(join(run, "config.json"), config);
  return run;
};

test.each(presetNames)("the complete configuration of %s, written as a run's config.json, loads to the same hash", async (preset) => {
  const resolved = await loadRunConfig({ preset, aliases: { corpus: "text.txt", steps: "5" }, cwd: directory });
  const run = runWith(JSON.stringify(resolved.config));
  const again = await loadRunConfig({ file: run, cwd: tmpdir() });
  expect(again.config).toEqual(resolved.config);
  expect(again.hash).toBe(resolved.hash);
  expect(again.sources.get("training.max_steps")).toBe(run);
});

test("a directory without a configuration, and one with a damaged one, are refused by name", async () => {
  const damaged = runWith('{"seed": 1, "seed": 2}');
  await expect(loadRunConfig({ file: directory })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: directory, message: `there is no run in ${directory}: it has no readable config.json` }],
  });
  await expect(loadRunConfig({ file: damaged })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: damaged, message: expect.stringContaining('the name "seed" stands twice') }],
  });
  await expect(loadRunConfig({ file: "nowhere", cwd: directory })).rejects.toMatchObject({ issues: [{ path: "nowhere", message: "there is no such file" }] });
});
