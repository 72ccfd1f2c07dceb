import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { realPython } from "../bridge/real-python.js";
import { isFull } from "../repetitions.js";

const copied = [
  "src",
  "scripts",
  "schemas",
  "python",
  "tests",
  "bench/verdicts",
  "web",
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "vitest.config.ts",
];
const schema = "src/config/record-schema.ts";
const generated = [
  "python/bh_bridge/bridge/messages.py",
  "python/bh_bridge/bridge/protocol.schema.json",
  "schemas/config.schema.json",
  "schemas/experiment.schema.json",
  "schemas/sweep.schema.json",
  "src/config/run-config-input.generated.ts",
  "tests/contract/golden-messages.json",
];

const environment = { ...process.env, BH_BRIDGE_PYTHON: realPython, PYTHONDONTWRITEBYTECODE: "1", PYTHONPATH: "python:tests/python" };
const project = mkdtempSync(join(tmpdir(), "bh-bridge-field-"));
afterAll(() => rmSync(project, { recursive: true }));

/** What a command says in the copy of the project; fails when the command does. */
function run(command: string, ...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd: project, encoding: "utf8", env: environment });
  expect(status, `${words.join(" ")}: ${stdout}${stderr}`).toBe(0);
  return stdout;
}

beforeAll(() => {
  for (const name of copied) cpSync(name, join(project, name), { recursive: true, filter: (path) => !path.includes("__pycache__") });
  symlinkSync(resolve("node_modules"), join(project, "node_modules"));
  run("git", "init", "--quiet");
  run("git", "add", ...copied);
  // A field of `record`, written where its recipe says, and the two generators.
  const text = readFileSync(join(project, schema), "utf8");
  const beginning = "export const recordSchema = z.strictObject({\n";
  expect(text).toContain(beginning);
  writeFileSync(join(project, schema), text.replace(beginning, `${beginning}  thinned: z.int().min(2).default(3).describe("A field of a test."),\n`));
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
  for (const name of ["generate:schema", "generate:protocol"]) run("sh", "-c", scripts[name] ?? "");
}, 300_000);

test("a field of record changes its schema, and what is made from it", () => {
  expect(run("git", "diff", "--name-only").trim().split("\n")).toEqual([...generated, schema].sort());
  expect(run("git", "ls-files", "--others", "--exclude", "node_modules")).toBe("");
});

test("the recipe names these files", () => {
  const lines = readFileSync("CONTRIBUTING.md", "utf8").split("\n");
  const recipe = ["| field of the configuration |", "**Generate** means"].map((beginning) => lines.find((line) => line.startsWith(beginning)) ?? "").join("\n");
  for (const file of [schema, ...generated]) expect(recipe).toContain(file.slice(file.lastIndexOf("/") + 1));
});

test("its request reaches Python with the field, which is required and bounded there", () => {
  const program = `
from bh_bridge.errors import ProtocolInvalid
from bh_bridge.bridge.protocol import check_request
from golden_messages import golden_request
request = golden_request("trainer.create")
check_request("trainer.create", request)
print(request["record"].pop("thinned"))
for wrong in ({}, {"thinned": 1}, {"thinned": None}):
    try:
        check_request("trainer.create", {**request, "record": {**request["record"], **wrong}})
    except ProtocolInvalid as error:
        print(error)
`;
  const said = run(realPython, "-c", program);
  expect(said.trim().split("\n")).toEqual([
    "3",
    "the request of trainer.create is invalid: record.thinned is missing",
    "the request of trainer.create is invalid: record.thinned is 1 (expected at least 2)",
    "the request of trainer.create is invalid: record.thinned is null (expected integer)",
  ]);
});

test("types hold as they are", { timeout: 300_000 }, () => {
  run("node_modules/.bin/tsc", "--noEmit", ...(isFull ? [] : ["-p", "tsconfig.build.json"]));
});

test("tests hold as they are", { timeout: 300_000 }, () => {
  const tests = ["config-hash", "json-schema", "record-schema", "run-config-schema"].map((name) => `tests/unit/config/${name}.test.ts`);
  // Another field is another hash, until config-hash.ts leaves out the value that computes what was computed before.
  const others = ["--testNamePattern", "^(?!.*earlier versions keep their hashes)"];
  const said = run("node_modules/.bin/vitest", "run", ...others, "tests/contract/messages.test.ts", ...tests);
  expect(said).toMatch(/Test Files .*5 passed/);
});
