import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { annotatedYaml } from "../../../src/config/annotated-yaml.js";
import { fieldPaths } from "../../../src/config/json-schema.js";
import { presetNames } from "../../../src/config/presets.js";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "bh-bridge-yaml-"));
});
afterAll(() => rm(directory, { recursive: true }));

const everyKind = [
  ...presetNames.map((preset) => ({ preset, set: [] })),
  {
    preset: "quick",
    set: ['name="yes: # no"', "device=cuda:1", "record.rows=[3,1]", 'training.lr_scheduler_kwargs={"a b":{"c":1e-9}}', "training.optim_args=null"],
  },
  { preset: "quick", set: ["init.kind=file", "init.path=/a b/ü.safetensors", "init.step=3", 'name="two\\nlines"'] },
];

test.each(everyKind)("$preset $set, printed and loaded, is the same configuration", async ({ preset, set }) => {
  const resolved = await resolveRunConfig({ preset, set });
  const file = join(directory, `${resolved.hash}.yaml`);
  await writeFile(file, annotatedYaml(resolved, directory));
  const again = await resolveRunConfig({ file });
  expect(again.config).toEqual(resolved.config);
  expect([again.hash, again.preset]).toEqual([resolved.hash, preset]);
});

test("the first line tells an editor the schema: relative below the working directory, else as a URL", async () => {
  const resolved = await resolveRunConfig();
  expect(annotatedYaml(resolved, process.cwd()).split("\n")[0]).toBe("# yaml-language-server: $schema=./schemas/config.schema.json");
  expect(annotatedYaml(resolved, directory).split("\n")[0]).toMatch(/^# yaml-language-server: \$schema=file:\/\/\/.*\/schemas\/config\.schema\.json$/);
});

test("every field stands in it, with its documentation", async () => {
  const text = annotatedYaml(await resolveRunConfig({ preset: "quick" }), directory);
  const fields = fieldPaths().filter((path) => !/^(?:init|model|engine|training\.compute_loss_func)\./.test(path) && path !== "preset");
  const names = fields.map((path) => path.slice(path.lastIndexOf(".") + 1));
  expect(names.filter((name) => !new RegExp(`^ *(# - )?${name}:`, "m").test(text))).toEqual([]);
  expect(text).toContain("  name: trainer\n  # Faster computation of the same bits");
  expect(text).toContain("  # Number of optimizer steps. The history also has the initial state.\n  max_steps: 800\n");
  expect(
    Math.max(
      ...text
        .split("\n")
        .slice(4)
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(110);
});
