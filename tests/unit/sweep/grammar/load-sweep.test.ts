import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import type { SweepPoint } from "../../../../src/sweep/grammar/expand-sweep.js";
import { loadSweep, pointFrom, writtenIssues } from "../../../../src/sweep/grammar/load-sweep.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

const cwd = temporaryDirectory();

function write(name: string, text: string): string {
  writeFileSync(join(cwd, name), text);
  return name;
}

test("a YAML file, a JSON file and a TypeScript file give the same sweep, named after the file", async () => {
  const written = { base: "quick", grid: { "training.learning_rate": [1e-3, 3e-4] }, seeds: "1..2" };
  const files = [
    write("lr.yaml", "base: quick\ngrid: { training.learning_rate: [1e-3, 3e-4] }\nseeds: 1..2\n"),
    write("lr.json", JSON.stringify(written)),
    write("lr.ts", `export default ${JSON.stringify(written)};`),
  ];
  for (const file of files) {
    const { name, base, points } = await loadSweep({ file, cwd });
    expect([name, base.preset, base.config.training.max_steps]).toEqual(["lr", "quick", 800]);
    expect(points.map(({ set }) => set)).toEqual([
      { "training.learning_rate": 1e-3, seed: 1 },
      { "training.learning_rate": 1e-3, seed: 2 },
      { "training.learning_rate": 3e-4, seed: 1 },
      { "training.learning_rate": 3e-4, seed: 2 },
    ]);
  }
});

test("a base may be a file or fields, whose relative paths start at the sweep's file", async () => {
  mkdirSync(join(cwd, "deep"), { recursive: true });
  write("deep/base.yaml", "preset: quick\ndata: { corpus: text.txt }\n");
  const fromFile = await loadSweep({ file: write("deep/a.yaml", "base: base.yaml\nseeds: 1\n"), cwd });
  expect(fromFile.base.config.data.corpus).toBe(join(cwd, "deep/text.txt"));
  const inline = await loadSweep({
    file: write("deep/b.yaml", "base: { preset: quick, data: { corpus: text.txt } }\ngrid: { data.corpus: [other.txt] }\n"),
    cwd,
  });
  expect(inline.base.config.data.corpus).toBe(join(cwd, "deep/text.txt"));
  expect(inline.points[0]?.set).toEqual({ "data.corpus": join(cwd, "deep/other.txt") });
});

test("the command line adds axes, replaces one of the same field, and has paths of its own", async () => {
  const file = write("deep/c.yaml", "base: quick\ngrid: { seed: [1, 2], training.adam_beta2: [0.9] }\n");
  const { points } = await loadSweep({ file, cwd, grid: ["seed=5", "data.corpus=x.txt"], set: ["training.max_steps=7"] });
  expect(points.map(({ set }) => set)).toEqual([{ seed: 5, "training.adam_beta2": 0.9, "data.corpus": join(cwd, "x.txt") }]);
});

test("without a file the command line is the whole sweep", async () => {
  const { name, points } = await loadSweep({ preset: "quick", seeds: "1..2", zip: ["init.kind=snowball,singular"], cwd });
  expect([name, points.length]).toEqual(["quick", 4]);
});

test("all that is wrong is told at once, each with its place", async () => {
  const file = write("wrong.yaml", "base: quik\ngrids: {}\ngrid:\n  seed: 4\nseeds: x\n");
  await expect(loadSweep({ file, cwd, grid: ["nothing"] })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [
      { path: "nothing", source: "--grid" },
      { path: "grid.seed", message: expect.stringContaining("4 is not accepted: expected a list of values"), source: "wrong.yaml:4:3" },
      { path: "seeds", message: '"x" is not accepted: expected a seed, a list of seeds, or a range such as 42..51', source: "wrong.yaml:5:1" },
      { path: "grids", message: "unknown field; did you mean grid?", source: "wrong.yaml:2:1" },
      { path: "base", message: '"quik" is neither a preset nor an existing file; did you mean the preset "quick"?', source: "wrong.yaml:1:1" },
    ],
  });
});

test("a value that is set for all trials cannot vary", async () => {
  const loading = loadSweep({ preset: "quick", grid: ["training.max_steps=1,2"], aliases: { steps: "9" }, cwd });
  await expect(loading).rejects.toMatchObject({
    issues: [{ path: "training.max_steps", message: "varies between the trials, but --steps sets it for all of them. Remove one of them" }],
  });
});

test("a module that exports nothing is told how a sweep is defined", async () => {
  await expect(loadSweep({ file: write("empty.ts", "export const x = 1;"), cwd })).rejects.toThrow('write "export default defineSweep({ … })" in empty.ts');
});

const locationOf: SweepPoint["locationOf"] = () => "grid";
const setOf = (set: SweepPoint["set"]) => pointFrom({ set, locationOf }, "/sweeps/mine");

test("relative paths start at the folder, absolute ones stay, and so does everything else", () => {
  const set = { "data.corpus": "texts/a.txt", "training.max_steps": 5, name: "texts/a.txt" };
  expect(setOf(set)).toEqual({ set: { ...set, "data.corpus": "/sweeps/mine/texts/a.txt" }, locationOf });
  expect(setOf({ "data.corpus": "/a.txt" }).set).toEqual({ "data.corpus": "/a.txt" });
});

test("a path that is not given stays so", () => expect(setOf({ "data.corpus": null }).set).toEqual({ "data.corpus": null }));

const schema = z.strictObject({
  base: z.string().optional(),
  prune: z.strictObject({ every: z.int("expected a number of steps") }).optional(),
  seeds: z.array(z.int()),
});
const names = Object.keys(schema.shape);

function issuesOf(values: unknown) {
  const { error } = schema.safeParse(values);
  return error ? writtenIssues(error, values, names, (path) => `file:${path}`) : [];
}

test("what is right has no issues", () => expect(issuesOf({ seeds: [1] })).toEqual([]));

test.each([
  ["a field that is missing", {}, { path: "seeds", message: "is missing" }],
  [
    "a value, shown as it was written",
    { seeds: [1], prune: { every: 1.5 } },
    { path: "prune.every", message: "1.5 is not accepted: expected a number of steps" },
  ],
  ["an item of a list", { seeds: [1, "x"] }, { path: "seeds.1", message: expect.stringMatching(/^"x" is not accepted: /) }],
  ["a misspelt field", { seeds: [1], bass: "quick" }, { path: "bass", message: "unknown field; did you mean base?" }],
  ["a field that nothing is near", { seeds: [1], zzzzzzzz: 1 }, { path: "zzzzzzzz", message: "unknown field; there are base, prune, seeds" }],
  ["an unknown field further down", { seeds: [1], prune: { every: 1, bass: 2 } }, { path: "prune.bass", message: "unknown field" }],
])("%s has its place and its source", (_, values, issue) => {
  expect(issuesOf(values)).toEqual([{ ...issue, source: `file:${issue.path}` }]);
});

test("a file that is no object at all is told as a whole", () => {
  expect(issuesOf([])).toMatchObject([{ path: "(the whole file)", message: expect.stringMatching(/^\[\] is not accepted: /) }]);
});

test("two misspelt fields are two issues", () => {
  expect(issuesOf({ seeds: [1], bass: 1, prunes: 2 }).map(({ path }) => path)).toEqual(["bass", "prunes"]);
});
