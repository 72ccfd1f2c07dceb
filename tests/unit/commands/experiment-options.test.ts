import { Command } from "commander";
import { expect, test } from "vitest";
import { addExperimentOptions, type ExperimentOptionValues, loadFromOptions } from "../../../src/commands/experiment-options.js";
import { aliases } from "../../../src/config/aliases.js";

function parse(...args: string[]): ExperimentOptionValues {
  return addExperimentOptions(new Command()).exitOverride().parse(args, { from: "user" }).opts<ExperimentOptionValues>();
}

test("the options are these: presets, files, single values, and one for each alias", () => {
  const names = addExperimentOptions(new Command()).options.map(({ long }) => long);
  expect(names).toEqual([
    "--preset",
    "--config",
    "--set",
    "--corpus",
    "--steps",
    "--seed",
    "--device",
    "--threads",
    "--from",
    "--engine",
    "--name",
    "--python",
  ]);
  expect(names.slice(3)).toEqual(Object.keys(aliases).map((name) => `--${name}`));
});

test("--set may be repeated and is stronger than an alias", async () => {
  const { experiment } = await loadFromOptions(parse("-p", "quick", "--steps", "5", "--set", "training.max_steps=6", "--set", "seed=7"));
  expect([experiment.training.max_steps, experiment.seed]).toEqual([6, 7]);
});

test("no option at all is the default experiment", async () => {
  const { preset, changes } = await loadFromOptions(parse());
  expect([preset, changes]).toEqual(["rmsnorm-11.2a", []]);
});
