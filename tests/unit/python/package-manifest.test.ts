import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { packageManifest } from "../../../src/python/package-manifest.js";

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
