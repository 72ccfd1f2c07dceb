import { expect, test } from "vitest";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { presets } from "../../../src/config/presets.js";
import { runLabels } from "../../../src/figures/run-labels.js";
import type { RunManifest } from "../../../src/runs/run-manifest.js";

const run = (name: string, over: object, directory = `/runs/${name}`) => ({
  directory,
  manifest: { name } as RunManifest,
  config: parseRunConfig({ ...presets.quick.input, name, ...over }),
});

test("runs are told apart by the settings in which they differ", () => {
  expect(runLabels([run("a", { seed: 1 }), run("b", { seed: 2 })])).toEqual(["seed 1", "seed 2"]);
  const training = presets.quick.input.training;
  const rates = [1e-3, 2e-3].map((learning_rate) => run("same", { training: { ...training, learning_rate } }));
  expect(runLabels(rates)).toEqual(["learning_rate 0.001", "learning_rate 0.002"]);
});

test("runs of one configuration are told apart by their names, and of one name by their directories", () => {
  expect(runLabels([run("a", {}), run("b", {})])).toEqual(["a", "b"]);
  expect(runLabels([run("a", {}, "/runs/a"), run("a", {}, "/runs/a-2")])).toEqual(["a", "a-2"]);
});

test("settings that would take too much room, or are alike in two of three runs, give way to names", () => {
  const long = "a prompt that is far longer than what a legend can hold beside another one";
  expect(runLabels([run("short", { data: { corpus: `/${long}.txt` } }), run("other", {})])).toEqual(["short", "other"]);
  expect(runLabels([run("a", { seed: 1 }), run("b", { seed: 2 }), run("c", { seed: 2 })])).toEqual(["a", "b", "c"]);
});

test("one run has its name, in which nothing can steer a terminal", () => {
  expect(runLabels([run("only", {})])).toEqual(["only"]);
  expect(runLabels([run("a\u001b[2Jb", {})])[0]).not.toContain("\u001b");
});
