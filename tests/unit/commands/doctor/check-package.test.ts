import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { checkPackage } from "../../../../src/commands/doctor/check-package.js";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));

test("node, package and transport are those of this machine, with what package.json asks for", () => {
  expect(checkPackage()).toEqual([
    { name: "node", ok: true, found: process.versions.node, expected: manifest.engines.node, fix: null },
    { name: "bh-bridge", ok: true, found: manifest.version, expected: manifest.version, fix: null },
    { name: "pythonia", ok: true, found: manifest.dependencies.pythonia, expected: manifest.dependencies.pythonia, fix: null },
  ]);
});

test("a Node.js that is too old is told with what to install", () => {
  vi.spyOn(process, "versions", "get").mockReturnValue({ ...process.versions, node: "18.19.0" });
  const [node] = checkPackage();
  vi.restoreAllMocks();
  expect(node).toMatchObject({
    ok: false,
    found: "18.19.0",
    fix: `install Node.js ${manifest.engines.node}, with your version manager or your system's packages`,
  });
});
