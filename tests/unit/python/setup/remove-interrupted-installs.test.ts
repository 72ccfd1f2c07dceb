import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { removeInterruptedInstalls } from "../../../../src/python/setup/setup-python.js";
import { folderTest } from "../folder-test.js";

folderTest("a package that pip did not finish is forgotten, a finished one is kept", async ({ folder }) => {
  const packages = join(folder, "lib", "python3.11", "site-packages");
  for (const [name, files] of [
    ["torch-2.13.0+cpu", ["METADATA", "WHEEL"]],
    ["numpy-2.4.6", ["METADATA", "WHEEL", "INSTALLER", "RECORD"]],
  ] as const) {
    mkdirSync(join(packages, `${name}.dist-info`), { recursive: true });
    for (const file of files) writeFileSync(join(packages, `${name}.dist-info`, file), "");
  }
  mkdirSync(join(packages, "torch"));
  expect(await removeInterruptedInstalls(folder)).toEqual(["torch-2.13.0+cpu"]);
  expect(existsSync(join(packages, "torch-2.13.0+cpu.dist-info"))).toBe(false);
  expect(existsSync(join(packages, "numpy-2.4.6.dist-info"))).toBe(true);
  expect(existsSync(join(packages, "torch"))).toBe(true);
});
