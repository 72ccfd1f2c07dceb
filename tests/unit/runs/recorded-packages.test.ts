import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recordedPackages } from "../../../src/runs/recorded-packages.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();

function runWith(name: string, files: Record<string, string>): string {
  const run = join(directory, name);
  mkdirSync(run);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(run, file), text);
  return run;
}

test("versions are of both processes, by kind and name; a package that was not found has none", () => {
  const run = runWith("both", {
    "environment.python.json": '{"python":"3.11","packages":{"numpy":"2.4.6"}}',
    "environment.node.json": '{"node":"v20","packages":{"zod":"4.6.0","gone":null}}',
  });
  expect(recordedPackages(run)).toEqual({ "Python package numpy": "2.4.6", "npm package zod": "4.6.0" });
});

test("a process that wrote nothing has no packages, and damage is told", () => {
  expect(recordedPackages(runWith("none", {}))).toEqual({});
  expect(() => recordedPackages(runWith("damaged", { "environment.node.json": "{" }))).toThrow(expect.objectContaining({ code: "RUN_CORRUPT" }));
});
