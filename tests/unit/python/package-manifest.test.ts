import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { packageManifest, versionSatisfies } from "../../../src/python/package-manifest.js";

test("version, engine and dependencies are those of package.json, read where it lies, whatever the working folder is", () => {
  const { version, engines, dependencies } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  const before = process.cwd();
  process.chdir("/");
  try {
    expect(packageManifest()).toEqual({ version, engines, dependencies });
  } finally {
    process.chdir(before);
  }
});

// Worked out by hand from PEP 440's order of releases.
test.each([
  ["2.13.0+cpu", ">=2.6", true],
  ["2.6", ">=2.6.0", true],
  ["2.5.1", ">=2.6", false],
  ["2.10.0", ">=2.9", true],
  ["5.24.0", ">=5.0,<6", true],
  ["6.0.0", ">=5.0,<6", false],
  ["4.57.1", ">=5.0,<6", false],
  ["3.11.7", ">=3.11", true],
  ["3.9.18", ">=3.11", false],
  ["1.2.6", "==1.2.6", true],
  ["1.2.6", "!=1.2.6", false],
  ["1.2.6", "<=1.2.6", true],
  ["1.2.6", ">1.2.6", false],
  ["2.14.0.dev20260901", ">=2.14", true],
  ["23.2.1", "", true],
])("%s in %j: %s", (version, range, expected) => {
  expect(versionSatisfies(version, range)).toBe(expected);
});

test("a range that is not understood is an error of ours, not a yes or a no", () => {
  expect(() => versionSatisfies("2.0", "~=2.0")).toThrow(expect.objectContaining({ code: "INTERNAL" }));
  expect(() => versionSatisfies("2.0", "==2.*")).toThrow(expect.objectContaining({ code: "INTERNAL" }));
});
