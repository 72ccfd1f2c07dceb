import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  checkRequirements,
  type PythonReport,
  pythonPackages,
  pythonRequirements,
  requirePackages,
  resolvePython,
} from "../../../src/python/require-packages.js";
import { folderTest } from "./folder-test.js";

const complete: PythonReport = {
  path: "/path/venv/bin/python",
  version: "3.11.7",
  executable: "/path/venv/bin/python",
  prefix: "/path/venv",
  platform: "linux",
  packages: { torch: "2.13.0+cpu", transformers: "5.24.0", accelerate: "1.15.0", safetensors: "0.8.0", numpy: "2.4.6" },
};

const problemOf = (report: PythonReport) => expect(() => requirePackages(report));

test("an interpreter with all packages in their ranges is accepted", () => {
  expect(requirePackages(complete)).toBeUndefined();
  expect(checkRequirements(complete).map(({ name, ok, expected }) => [name, ok, expected])).toEqual([
    ["Python", true, ">=3.11"],
    ["torch", true, ">=2.7,<2.16"],
    ["transformers", true, ">=5.4,<5.25"],
    ["accelerate", true, ">=1.3,<1.16"],
    ["safetensors", true, ">=0.5"],
    ["numpy", true, ">=1.26"],
  ]);
});

test("one missing package is named with its environment and the command for it", () => {
  problemOf({ ...complete, packages: { ...complete.packages, torch: null } }).toThrow(
    expect.objectContaining({
      code: "PYTHON_DEPENDENCY_MISSING",
      message:
        'torch is not installed in /path/venv (Python 3.11.7). Run "bh-bridge setup", or install it there with: /path/venv/bin/python -m pip install "torch>=2.7,<2.16"',
      issues: [{ path: "torch", message: "not installed, >=2.7,<2.16 is required" }],
    }),
  );
});

test("all that is missing or out of its range is named at once", () => {
  const packages = { torch: "2.5.1", transformers: "4.57.0", accelerate: null, safetensors: null, numpy: "2.4.6" };
  problemOf({ ...complete, packages }).toThrow(
    expect.objectContaining({
      message:
        "accelerate and safetensors are not installed in /path/venv (Python 3.11.7); torch 2.5.1 (not >=2.7,<2.16) and transformers 4.57.0 (not >=5.4,<5.25) " +
        "in /path/venv (Python 3.11.7): versions that bh-bridge does not support. " +
        'Run "bh-bridge setup", or install them there with: /path/venv/bin/python -m pip install "torch>=2.7,<2.16" "transformers>=5.4,<5.25" "accelerate>=1.3,<1.16" safetensors',
    }),
  );
});

test("a Python that is too old is named, and another one asked for", () => {
  problemOf({ ...complete, path: "/usr/bin/python3", prefix: "/usr", version: "3.9.2" }).toThrow(
    expect.objectContaining({
      code: "PYTHON_DEPENDENCY_MISSING",
      message: 'Python 3.9.2 in /usr/bin/python3 is not >=3.11, which bh-bridge requires. Run "bh-bridge setup --python PATH" with the path of a Python >=3.11',
    }),
  );
});

test("a path with a space is quoted in the command", () => {
  problemOf({ ...complete, path: "/my path/bin/python", prefix: "/my path", packages: { ...complete.packages, numpy: null } }).toThrow(
    'with: "/my path/bin/python" -m pip install numpy',
  );
});

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

test("pyproject.toml has a range for every package that is probed, and for no other", () => {
  const { python, packages, devPackages } = pythonRequirements();
  expect(python).toBe(">=3.11");
  expect([...packages.keys()]).toEqual(pythonPackages);
  expect(packages.get("transformers")).toBe(">=5.4,<5.25");
  expect([...devPackages.keys()]).toEqual(expect.arrayContaining(["pytest", "ruff", "pyright"]));
});
