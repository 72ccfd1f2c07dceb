import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "vitest";
import { resolvePython } from "../../../src/python/resolve-python.js";
import { folderTest } from "./folder-test.js";

/** An interpreter with all packages: the one the tests run with. */
const ours = join(import.meta.dirname, "..", "..", "..", ".venv");

folderTest("an environment that is active for something else does not hide ours", async ({ folder }) => {
  execFileSync("python3", ["-m", "venv", "--without-pip", folder]);
  const env = { ...process.env, BH_BRIDGE_PYTHON: "", VIRTUAL_ENV: folder, CONDA_PREFIX: "" };
  expect(await resolvePython({ env, environment: ours })).toMatchObject({ origin: "bh-bridge environment", path: join(ours, "bin", "python") });
});

folderTest("when none will do, the first one's flaw is told; one that was asked for stands alone", async ({ folder }) => {
  execFileSync("python3", ["-m", "venv", "--without-pip", folder]);
  const python = join(folder, "bin", "python");
  const flaw = {
    code: "PYTHON_DEPENDENCY_MISSING",
    message: expect.stringContaining(`torch, transformers, accelerate, safetensors, and numpy are not installed in ${folder}`),
  };
  await expect(resolvePython({ env: { VIRTUAL_ENV: folder, PATH: process.env["PATH"] }, environment: join(folder, "gone") })).rejects.toMatchObject(flaw);
  await expect(resolvePython({ python, environment: ours })).rejects.toMatchObject(flaw);
});
