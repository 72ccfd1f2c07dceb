import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rootField } from "../../../src/config/json-schema.js";
import { aliases, optionOf } from "../../../src/config/layers.js";
import { encoderSwitches, untrainableTypes } from "../../../src/config/models/model-configs.generated.js";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";
import { codeBlocks } from "../../code-blocks.js";

const text = await readFile(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
const home = process.cwd();
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "bh-bridge-docs-"));
  process.chdir(directory);
});
afterAll(async () => {
  process.chdir(home);
  await rm(directory, { recursive: true });
});

test("its list of families that cannot be trained is complete", () => {
  const rows = [...text.matchAll(/^\| `(\S+)` \| (.*) \|$/gm)].map(([, type = "", reason = ""]) => [type, reason] as const);
  for (const row of Object.entries(untrainableTypes)) expect(rows).toContainEqual(row);
  for (const type of Object.keys(encoderSwitches)) expect(text).toContain(`\`${type}\``);
  expect(text).toContain(`${Object.keys(untrainableTypes).length} families cannot be trained`);
});

test("its YAML is a configuration", async () => {
  const [yaml = ""] = codeBlocks(text, "yaml");
  await writeFile("example.yaml", yaml);
  expect((await resolveRunConfig({ file: "example.yaml" })).changes).toHaveLength(3);
});

test("its TypeScript is a configuration", async () => {
  const [source = ""] = codeBlocks(text, "ts");
  await writeFile("example.ts", source.replace('"bh-bridge"', JSON.stringify(join(home, "src", "config", "resolve-run-config.ts"))));
  const { config, preset } = await resolveRunConfig({ file: "example.ts" });
  expect([preset, config.init, config.training.max_steps]).toEqual(["snowball-11.2c", { kind: "snowball", sigma: 1e-4 }, 2000]);
});

test("its tables name every alias and every section", () => {
  for (const [name, { path }] of Object.entries(aliases))
    expect(text).toMatch(new RegExp(`\\| \`${optionOf(name)} [A-Z]+\` \\| \`${path.replace(".", "\\.")}\` \\|`));
  for (const section of Object.keys(rootField().properties ?? {}).filter((name) => name !== "$schema" && name !== "preset"))
    expect(text).toContain(`\`${section}\``);
});

test("its example of an error is what is printed", async () => {
  await writeFile("my.yaml", "preset: quick\nseed: 1\ntraining:\n  learning_rate: fast\n");
  const [example = ""] = codeBlocks(text, "text");
  await expect(resolveRunConfig({ file: "my.yaml", set: ["training.max_step=3"] })).rejects.toThrow(example.trimEnd());
});
