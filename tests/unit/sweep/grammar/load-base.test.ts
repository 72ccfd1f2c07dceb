import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ConfigIssue } from "../../../../src/errors.js";
import type { SweepPoint } from "../../../../src/sweep/grammar/expand-sweep.js";
import { loadBase, refuseSetAxes } from "../../../../src/sweep/grammar/load-base.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

const cwd = temporaryDirectory();
const directory = join(cwd, "deep");
mkdirSync(directory);
writeFileSync(join(directory, "base.yaml"), "preset: quick\ndata: { corpus: text.txt }\n");
const folders = { directory, cwd };

test("with nothing said it is the default preset", async () => {
  const { preset, config } = await loadBase(undefined, {}, folders);
  expect([preset, config.training.max_steps]).toEqual(["rmsnorm-11.2a", 10_000]);
});

test.each([
  ["a preset's name", "quick"],
  ["a file beside the sweep", "base.yaml"],
  ["fields", { preset: "quick" }],
])("%s, over which the command line is laid", async (_, base) => {
  const { config, sources } = await loadBase(base, { aliases: { steps: "7" }, set: ["training.learning_rate=0.5"] }, folders);
  expect([config.training.max_steps, config.training.learning_rate]).toEqual([7, 0.5]);
  expect(sources.get("training.max_steps")).toBe("--steps");
});

test("relative paths start where they are written: in the base's file, in the sweep's, in the folder of the command line", async () => {
  const corpusOf = async (...args: Parameters<typeof loadBase>) => (await loadBase(...args)).config.data.corpus;
  expect(await corpusOf("base.yaml", {}, folders)).toBe(join(directory, "text.txt"));
  expect(await corpusOf({ data: { corpus: "text.txt" } }, {}, folders)).toBe(join(directory, "text.txt"));
  expect(await corpusOf("quick", { aliases: { corpus: "text.txt" } }, folders)).toBe(join(cwd, "text.txt"));
  expect(await corpusOf(undefined, { config: "deep/base.yaml" }, folders)).toBe(join(directory, "text.txt"));
});

test.each([
  ["a misspelt preset", "quik", {}, '"quik" is neither a preset nor an existing file; did you mean the preset "quick"?'],
  ["a file that is not there", "nowhere.yaml", {}, '"nowhere.yaml" is neither a preset nor an existing file'],
  ["a base and --preset", "quick", { preset: "quick" }, "conflicts with --preset and --config, which also set the base. Use one of them"],
])("%s is refused", async (_, base, sources, message) => {
  await expect(loadBase(base, sources, folders)).rejects.toMatchObject({ code: "CONFIG_INVALID", issues: [{ path: "base", message }] });
});

test("a field that varies and is set for all by the command line is refused, one that a file sets is not", async () => {
  const base = await loadBase("quick", { aliases: { seed: "3" }, set: ["training.adam_beta2=0.9"] }, folders);
  const points = [{ set: { seed: 1, "training.max_steps": 5 } }, { set: { "training.adam_beta2": 0.5 } }] as unknown as SweepPoint[];
  const issues: ConfigIssue[] = [];
  refuseSetAxes(base, points, issues);
  expect(issues.map(({ path, source }) => [path, source])).toEqual([
    ["seed", "--seed"],
    ["training.adam_beta2", "--set"],
  ]);
  expect(issues[0]?.message).toBe("varies between the trials, but --seed sets it for all of them. Remove one of them");
});
