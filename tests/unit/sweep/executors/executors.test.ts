import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { expect, test } from "vitest";
import { addExecutorOptions, choiceOf } from "../../../../src/commands/sweep/trial-options.js";
import { resolvePython } from "../../../../src/python/require-packages.js";
import type { ExecutorKind } from "../../../../src/sweep/executors/executor.js";
import {
  cancelJobs,
  chooseExecutor,
  type ExecutorChoice,
  executorKinds,
  executorNames,
  settleEarlierJobs,
  viewJobs,
} from "../../../../src/sweep/executors/executors.js";
import { python as interpreter } from "../../formats/reference-python.js";

const python = await resolvePython({ python: interpreter });

test("trials are trained on this machine where nobody says another place", async () => {
  expect(await chooseExecutor({}, python)).toMatchObject({ name: "local", isHere: true });
});

test("an executor that there is not is refused, with those that there are", async () => {
  const choice = { executor: "kubernetes" } as unknown as ExecutorChoice; // from JavaScript
  await expect(chooseExecutor(choice, python)).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining('"kubernetes"; the executors are local'),
  });
});

test("no file outside the folder of executors imports a file of Ray or SLURM", () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts") && !file.includes(join("sweep", "executors")));
  expect(files.length).toBeGreaterThan(100);
  const importing = files.filter((file) => /"[^"]*executors\/(ray|slurm)\//.test(readFileSync(join("src", file), "utf8")));
  expect(importing).toEqual([]);
});

test("an executor in the list is all that the program needs: its options, its choice, its earlier jobs, its view and its end", async () => {
  const calls: unknown[] = [];
  const part = { job: "7", task: 1, state: "queued", reason: null, nodes: null, trials: 1 };
  const paper: ExecutorKind<{ ink?: number }> = {
    title: "Paper",
    options: [{ flags: "--ink <n>", field: "ink", value: "number", description: "for --executor paper: bottles of ink" }],
    async create(_python, { ink }) {
      calls.push(["create", ink]);
      return { name: "paper", isHere: false, machine: async () => ({ device: "cpu", gpus: 0, cores: 1 }), train: async () => undefined };
    },
    settle: async ({ directory }) => void calls.push(["settle", directory]),
    view: async () => ({ jobs: [part], lines: new Map(), underWay: new Set(["a"]) }),
    cancel: async () => ["7"],
  };
  const kinds = executorKinds as unknown as [string, ExecutorKind<object>][];
  kinds.push(["paper", paper]);
  try {
    const command = addExecutorOptions(new Command().option("--executor <name>").exitOverride()).parse(["--executor", "paper", "--ink", "3"], { from: "user" });
    const chosen = await chooseExecutor(await choiceOf(command.opts(), undefined), python);
    await settleEarlierJobs({ directory: "/nowhere", ledger: undefined as never, executor: chosen.name });
    expect(calls).toEqual([
      ["create", 3],
      ["settle", "/nowhere"],
    ]);
    expect(await viewJobs("/nowhere")).toEqual({ jobs: [{ executor: "paper", ...part }], lines: new Map(), underWay: new Set(["a"]) });
    expect(await cancelJobs("/nowhere")).toEqual([{ executor: "paper", title: "Paper", jobs: ["7"] }]);
  } finally {
    kinds.pop();
  }
  expect(executorKinds.map(([name]) => name)).toEqual(executorNames);
});

test("the options of executors reach the executor that is chosen, with a number read as one", async () => {
  const command = addExecutorOptions(new Command()).parse(["--sbatch-option", "time=1", "--sbatch-option", "mem=2G", "--jobs", "2", "--detach"], {
    from: "user",
  });
  expect(await choiceOf(command.opts(), "slurm")).toMatchObject({ executor: "slurm", sbatchOptions: ["time=1", "mem=2G"], jobs: 2, detach: true });
  await expect(choiceOf({ executor: "slurm", ...{ jobs: "x" } }, undefined)).rejects.toMatchObject({
    code: "USAGE",
    message: '--jobs takes a whole number of at least 1, not "x"',
  });
});
