import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

test("the programs of the documentation compile, and what should not compile does not", () => {
  const { stdout, status } = spawnSync(process.execPath, [resolve("node_modules/typescript/bin/tsc"), "-p", "tests/types"], { encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});
