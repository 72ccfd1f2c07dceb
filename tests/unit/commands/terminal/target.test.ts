import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findTarget, parseStep, splitTarget } from "../../../../src/commands/terminal/target.js";
import { temporaryFolder } from "../../../e2e/program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

test.each([
  ["file.pt", ["file.pt", undefined]],
  ["file.pt::wte", ["file.pt", "wte"]],
  ["a::b::c", ["a::b", "c"]],
  ["file::", ["file", ""]],
  ["::wte", ["::wte", undefined]],
])("%s is %j", (text, parts) => {
  expect(splitTarget(text)).toEqual(parts);
});

test("a file with two colons in its name is found", async () => {
  const path = join(folder.path, "odd::name.pt");
  mkdirSync(folder.path, { recursive: true });
  writeFileSync(path, "");
  expect(splitTarget(path)).toEqual([path, undefined]);
  expect(await findTarget(`${path}::wte`)).toEqual({ path, tensor: "wte" });
  expect(await findTarget(path)).toEqual({ path });
});

test.each([
  ["0", 0],
  ["100", 100],
])("step %s", (text, step) => {
  expect(parseStep(text)).toBe(step);
});

test.each(["-1", "1.5", "1e3", "", "last", "9".repeat(16)])("%j is no step", (text) => {
  expect(() => parseStep(text)).toThrow("A step is a whole number of at least 0.");
});
