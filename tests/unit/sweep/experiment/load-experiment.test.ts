import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadExperiment } from "../../../../src/sweep/experiment/load-experiment.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

const directory = temporaryDirectory();
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return name;
};

const yaml = `base: rmsnorm-11.2a
arms:
  layernorm: { model: { norm: layernorm } }
  rmsnorm: {}
seeds: 42..51
rules:
  decides: [score, deadC]
  margin: { deadC: 1 }
`;

test("a file is read with its rules filled in, and named by its file", async () => {
  const experiment = await loadExperiment(file("norms.yaml", yaml), directory);
  expect(experiment).toMatchObject({
    name: "norms",
    directory,
    base: "rmsnorm-11.2a",
    arms: { layernorm: { model: { norm: "layernorm" } }, rmsnorm: {} },
    seeds: [42, 43, 44, 45, 46, 47, 48, 49, 50, 51],
    measures: [],
    rules: { score: "notebook", decides: ["score", "deadC"], margin: { score: 0, deadC: 1 }, alpha: 0.05 },
  });
  expect(Object.keys(experiment.arms)).toEqual(["layernorm", "rmsnorm"]);
  expect(experiment.sourceOf("arms.rmsnorm")).toBe("norms.yaml:4:3");
});

test("a TypeScript file and a definition say the same", async () => {
  const text = `export default { name: "norms", base: "quick", arms: { a: {}, b: { "model.norm": "layernorm" } }, seeds: [1, 2] };`;
  const definition = { name: "norms", base: "quick", arms: { a: {}, b: { "model.norm": "layernorm" } }, seeds: [1, 2] };
  const { sourceOf: _, ...read } = await loadExperiment(file("norms.ts", text), directory);
  const { sourceOf: __, ...given } = await loadExperiment(definition, directory);
  expect(read).toEqual(given);
});

test("all that is wrong is told at once, each with its place", async () => {
  const text = "arm: {}\narms:\n  only: {}\nrules:\n  decides: [dedC]\n  alpha: 2\n";
  await expect(loadExperiment(file("wrong.yaml", text), directory)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [
      { path: "arms", source: "wrong.yaml:2:1" },
      { path: "rules.alpha", source: "wrong.yaml:6:3" },
      { path: "rules.decides.0", message: expect.stringContaining('did you mean "deadC"'), source: "wrong.yaml" },
      { path: "arm", message: "unknown field; did you mean arms?", source: "wrong.yaml:1:1" },
    ],
  });
});

test("a misspelt preset is refused with the nearest", async () => {
  await expect(loadExperiment("rmsnorm-vs-layernom", directory)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining('did you mean "rmsnorm-vs-layernorm"?'),
  });
});

test("a file that is not there is said to be missing", async () => {
  await expect(loadExperiment("nothing.yaml", directory)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining("there is no such file"),
  });
});
