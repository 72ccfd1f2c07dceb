import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { nodeEnvironment } from "../../../src/runs/node-environment.js";

const installed = (name: string) => (JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")) as { version: string }).version;

test("packages have the versions that are installed, also those that show nobody their package.json; what is not there has none", () => {
  expect(nodeEnvironment(["zod", "execa", "@petamoriken/float16", "no-such-package"]).packages).toEqual({
    zod: installed("zod"),
    execa: installed("execa"),
    "@petamoriken/float16": installed("@petamoriken/float16"),
    "no-such-package": null,
  });
});

test("the machine is the one that Node and the system tell of, in plain data", () => {
  const environment = nodeEnvironment([]);
  const node = execFileSync(process.execPath, ["-p", "[process.version, process.platform, process.arch].join()"], { encoding: "utf8" }).trim();
  expect([environment.node, ...environment.platform.split("-")].join()).toBe(node);
  expect(environment.cores).toBeGreaterThan(0);
  expect(environment.memoryBytes).toBeGreaterThan(2 ** 20);
  expect(JSON.parse(JSON.stringify(environment))).toEqual(environment);
});
