import { expect, test } from "vitest";
import { resolvePython } from "../../../../src/python/resolve-python.js";
import { chooseExecutor, type ExecutorChoice } from "../../../../src/sweep/executors/choose-executor.js";
import { python as interpreter } from "../../formats/reference-python.js";

const python = await resolvePython({ python: interpreter });

test("trials are trained on this machine where nobody says another place", async () => {
  expect(await chooseExecutor({}, python)).toMatchObject({ name: "local", isHere: true });
});

test("an executor that there is not is refused, with those that there are", async () => {
  const choice = { executor: "kubernetes" } as unknown as ExecutorChoice; // from JavaScript
  await expect(chooseExecutor(choice, python)).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining('"kubernetes"; there are local') });
});
