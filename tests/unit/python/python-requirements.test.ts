import { expect, test } from "vitest";
import { pythonPackages } from "../../../src/python/probe-python.js";
import { pythonRequirements } from "../../../src/python/python-requirements.js";

test("pyproject.toml has a range for every package that is probed, and for no other", () => {
  const { python, packages, devPackages } = pythonRequirements();
  expect(python).toBe(">=3.11");
  expect([...packages.keys()]).toEqual(pythonPackages);
  expect(packages.get("transformers")).toBe(">=5.4,<5.25");
  expect([...devPackages.keys()]).toEqual(expect.arrayContaining(["pytest", "ruff", "pyright"]));
});
