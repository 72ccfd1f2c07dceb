import { relative } from "node:path";
import { expect, test } from "vitest";
import { figure } from "../../../src/figures/figure-of-run.js";
import { writeRunOfStates } from "./run-of-states.js";

const states = [
  [[1], [2]],
  [[1], [1]],
];

test("a run by its path, or one that was opened, gives the same figure, with its name and the hash of its configuration", async () => {
  const directory = writeRunOfStates({ states });
  const made = await figure(relative(".", directory), "radius", { workers: 0 });
  expect(made).toEqual(await figure({ directory }, "radius", { workers: 0 }));
  expect(made.sources).toEqual([{ name: "made-up", hash: "0".repeat(64) }]);
});

test("a figure that the run has nothing for is refused with the reason", async () => {
  const directory = writeRunOfStates({ states });
  const refused = figure(directory, "optimizer", { workers: 0 });
  await expect(refused).rejects.toMatchObject({ code: "USAGE" });
  await expect(refused).rejects.toThrow(`${directory} has nothing for the figure "optimizer": it recorded neither`);
});
