import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  configCheckDocumentSchema,
  configCommand,
  configDiffDocumentSchema,
  configDocumentSchema,
  configSchemaDocumentSchema,
} from "../../../../src/commands/config/config.js";
import { captureStdout } from "../capture-stdout.js";

let directory: string;
let mine: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "bh-bridge-config-command-"));
  mine = join(directory, "mine.yaml");
  await writeFile(mine, await captureStdout(configCommand(), "print", "--preset", "jiggle-11.2b", "--steps", "7"));
});
afterAll(() => rm(directory, { recursive: true }));

test("config print writes a file that config check accepts", async () => {
  const text = await captureStdout(configCommand(), "check", mine);
  expect(text).toMatch(
    /^The configuration is valid\. Hash [0-9a-f]{8}\.\nChanged from jiggle-11\.2b: 1 value\n {2}training\.max_steps {2}10000 → 7 {2}\(.*mine\.yaml:\d+:3\)\n$/,
  );
});

test("config print --json names the source of every value", async () => {
  const document = configDocumentSchema.parse(
    JSON.parse(await captureStdout(configCommand(), "print", "--preset", "quick", "--set", "seed=1", "--set", "threads=2", "--json")),
  );
  expect(document.sources).toMatchObject({ seed: "--set", threads: "--set", "training.max_steps": "preset quick", "noise.epsilon": "default" });
  expect(document.changes.map(({ path }) => path)).toEqual(["seed", "threads"]);
});

test("config check --json", async () => {
  const document = configCheckDocumentSchema.parse(JSON.parse(await captureStdout(configCommand(), "check", mine, "--set", "seed=1", "--json")));
  expect([document.ok, document.preset, document.changes]).toEqual([true, "jiggle-11.2b", 2]);
});

test("config check refuses a wrong file with every problem", async () => {
  const wrong = join(directory, "wrong.yaml");
  await writeFile(wrong, "seed: -1\ntraning:\n  max_steps: 3\n");
  await expect(captureStdout(configCommand(), "check", wrong)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "seed" }, { path: "traning" }],
  });
});

test("config schema prints the JSON Schema, plain and as a document", async () => {
  const plain: unknown = JSON.parse(await captureStdout(configCommand(), "schema"));
  const document = configSchemaDocumentSchema.parse(JSON.parse(await captureStdout(configCommand(), "schema", "--json")));
  expect(plain).toEqual(document.jsonSchema);
  expect(plain).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema", additionalProperties: false });
});

test("config diff shows the fields that differ, between presets and files", async () => {
  expect(await captureStdout(configCommand(), "diff", "quick", mine)).toBe(
    "model.norm          rmsnorm → layernorm\nnoise.epsilon       0 → 3e-5\ntraining.max_steps  800 → 7\n",
  );
  expect(await captureStdout(configCommand(), "diff", mine, mine)).toBe(`${mine} and ${mine} are the same configuration.\n`);
});

test("config diff --json", async () => {
  const document = configDiffDocumentSchema.parse(JSON.parse(await captureStdout(configCommand(), "diff", "rmsnorm-11.2a", "layernorm-control", "--json")));
  expect(document.differences).toEqual([{ path: "model.norm", before: "rmsnorm", after: "layernorm", typeChanged: false }]);
  expect(document.before.hash).not.toBe(document.after.hash);
});

test.each([
  ["quik", 'there is no preset "quik": did you mean "quick"?'],
  ["nowhere.yaml", "nowhere.yaml: there is no such file"],
])("config diff refuses %s", async (name, message) => {
  await expect(captureStdout(configCommand(), "diff", "quick", name)).rejects.toThrow(message);
});
