import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfigFile } from "../../../src/config/read-config-file.js";

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "bh-bridge-file-"));
});
afterAll(() => rm(cwd, { recursive: true }));

async function read(name: string, text: string) {
  await writeFile(join(cwd, name), text);
  return readConfigFile(name, cwd);
}

test.each([
  ["a.json", '{"$schema": "./x.json", "preset": "quick", "seed": 7}'],
  ["a.yaml", "# mine\n$schema: ./x.json\npreset: quick\nseed: 7\n"],
  ["a.yml", "{preset: quick, seed: 7}"],
  ["default.ts", 'const seed: number = 7;\nexport default { preset: "quick", seed };\n'],
  ["named.mts", 'export const config = { preset: "quick", seed: 7 };\n'],
  ["default.mjs", 'export default { preset: "quick", seed: 7 };\n'],
  ["default.js", 'export default { preset: "quick", seed: 7 };\n'],
])("%s gives its values and its preset", async (name, text) => {
  const { layer, preset } = await read(name, text);
  expect(layer.values).toEqual({ seed: 7 });
  expect(preset?.name).toBe("quick");
});

test("every key has its line and column; what has none is in the file", async () => {
  const { layer } = await read("places.json", '{\n  "training": {\n    "max_steps": 3\n  }\n}\n');
  expect(layer.sourceOf("training.max_steps")).toBe("places.json:3:5");
  expect(layer.sourceOf("training")).toBe("places.json:2:3");
  expect(layer.sourceOf("seed")).toBe("places.json");
});

test("small numbers are numbers", async () => {
  const { layer } = await read("numbers.yaml", "a: 1e-5\nb: 3.0e-4\nc: .5\nd: 0.00001\n");
  expect(layer.values).toEqual({ a: 1e-5, b: 3e-4, c: 0.5, d: 1e-5 });
});

test("faults of the syntax are told with line and column", async () => {
  await expect(read("twice.yaml", "seed: 1\nseed: 2\n")).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "twice.yaml", message: "Map keys must be unique", source: "twice.yaml:2:1" }],
  });
  await expect(read("cut.json", '{\n  "seed": 1,\n  "training": {')).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "cut.json", message: "Flow map must end with a }", source: "cut.json:3:16" }],
  });
});

test.each([
  ["list.yaml", "[1, 2]", "does not hold an object with the fields of a configuration"],
  ["empty.yaml", "", "does not hold an object with the fields of a configuration"],
  ["notes.txt", "seed: 1", "is not a configuration file: the name must end in .json, .yaml, .yml, .ts, .mts, .js, .mjs"],
  ["nothing.ts", "export const other = 1;", 'exports no config: write "export default defineRun({ … })" in nothing.ts'],
  ["throws.ts", 'throw new Error("no luck");', "cannot be loaded: no luck"],
])("%s is refused with what to do", async (name, text, message) => {
  await expect(read(name, text)).rejects.toMatchObject({ code: "CONFIG_INVALID", issues: [{ message }] });
});

test("a missing file is named as it was given", async () => {
  await expect(readConfigFile("nowhere/at/all.yaml", cwd)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "nowhere/at/all.yaml", message: "there is no such file" }],
  });
});
