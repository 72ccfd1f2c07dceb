import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { doctorDocumentSchema } from "../../src/commands/doctor/checks.js";
import { isFull } from "../repetitions.js";
import { printedBy } from "../unit/formats/reference-python.js";
import { python, run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

async function examine(...args: string[]) {
  const { exitCode, stdout } = await run(["doctor", "--json", ...args], { env: { BH_BRIDGE_PYTHON: python } });
  const { ok, checks, portable } = doctorDocumentSchema.parse(JSON.parse(stdout));
  return { exitCode, ok, checks, portable, check: (name: string) => checks.find((each) => each.name === name) };
}

test("all is well with the interpreter that the tests train with", async () => {
  const { exitCode, ok, checks, portable, check } = await examine();
  expect(checks.filter((each) => !each.ok)).toEqual([]);
  expect({ exitCode, ok }).toEqual({ exitCode: 0, ok: true });
  expect(checks.map(({ name }) => name)).toEqual([
    "node",
    "bh-bridge",
    "pythonia",
    "python",
    "torch",
    "transformers",
    "accelerate",
    "safetensors",
    "numpy",
    "devices",
    "engine portable",
    "training arguments",
    "model configuration",
    "disk",
  ]);
  expect(check("node")?.found).toBe(process.versions.node);
  expect(check("python")?.found).toContain(python);
  const capability = (await printedBy("import torch; print(torch.backends.cpu.get_cpu_capability())")).trim();
  expect(check("devices")?.found).toContain(`cpu (${capability}, `);
  expect(portable?.builds.filter(({ usable }) => usable).at(0)?.name).toBe(portable?.used);
  const file = readFileSync("python/bh_bridge/portable/builds/portable.wasm");
  expect(portable?.builds.at(-1)).toEqual({ name: "wasm", sha256: createHash("sha256").update(file).digest("hex"), usable: true });
});

test("an environment without packages: exit code 3, and for each package the command that installs it there", async () => {
  const directory = join(folder.path, "venv");
  execFileSync("python3", ["-m", "venv", "--without-pip", directory]);
  const bare = join(directory, "bin", "python");
  const { exitCode, ok, checks } = await examine("--python", bare);
  expect({ exitCode, ok }).toEqual({ exitCode: 3, ok: false });
  expect(checks.filter((each) => !each.ok).map(({ name, found, fix }) => [name, found, fix])).toEqual([
    ["torch", null, `${bare} -m pip install "torch>=2.7,<2.16"`],
    ["transformers", null, `${bare} -m pip install "transformers>=5.4,<5.25"`],
    ["accelerate", null, `${bare} -m pip install "accelerate>=1.3,<1.16"`],
    ["safetensors", null, `${bare} -m pip install safetensors`],
    ["numpy", null, `${bare} -m pip install numpy`],
  ]);
});

test("an interpreter that is not there fails one check, with what to do", async () => {
  const { exitCode, check } = await examine("--python", "/nowhere/python");
  expect(exitCode).toBe(3);
  expect(check("python")).toMatchObject({ ok: false, found: null, fix: expect.stringContaining("(--python on the command line) names /nowhere/python") });
});

test("people get one line a check, and the remedy below a failing one", async () => {
  const { exitCode, stdout } = await run(["doctor", "--python", join(folder.path, "venv", "bin", "python")]);
  expect(exitCode).toBe(3);
  expect(stdout).toMatch(/^ok {3}node +\d+\.\d+\.\d+ \(expected: >=20\.19\)$/m);
  expect(stdout).toMatch(/^FAIL torch +missing \(expected: >=2\.7,<2\.16\)\n +to fix it: {2}.*-m pip install "torch>=2\.7,<2\.16"$/m);
});

// tests/unit/runner/measure-threads.test.ts measures a tiny model.
test.skipIf(!isFull)("--measure trains with 1, 2, 4, … threads up to the cores, and names the fastest", async () => {
  const { exitCode, stdout } = await run(["doctor", "--measure", "--json"]);
  const { measure } = doctorDocumentSchema.parse(JSON.parse(stdout));
  const cores = availableParallelism();
  const expected = [1, 2, 4, 8, 16, 32, 64, 128].filter((threads) => threads < cores).concat(cores);
  expect(exitCode).toBe(0);
  expect(measure?.threads.map(({ threads }) => threads)).toEqual(expected);
  const rates = measure?.threads.map(({ stepsPerSecond }) => stepsPerSecond) ?? [];
  expect(measure?.fastest).toBe(expected[rates.indexOf(Math.max(...rates))]);
});
