import { expect, test } from "vitest";
import { Catalogue } from "../../../src/serve/catalogue.js";
import { servedRow, servedRows } from "../../../src/serve/live-changes.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "./written-run.js";

async function runsWith(...settings: { seed?: number; steps?: number }[]) {
  const folder = temporaryDirectory();
  for (const [index, setting] of settings.entries()) writeRun({ folder, id: `run-${index}`, ...setting });
  return [...(await new Catalogue([folder]).shelf()).runs].sort((a, b) => a.directory.localeCompare(b.directory));
}

test("a row names its directory, and no folder that it lies in", async () => {
  const [run] = await runsWith({});
  if (!run) throw new Error("no run");
  expect(servedRow(run)).toMatchObject({ id: run.id, run: "run-0", plan: null, name: "run-0" });
  expect(JSON.stringify(servedRow(run))).not.toContain(run.directory);
});

test("runs say what is not the same in all of them, and not that their names differ", async () => {
  const rows = servedRows(await runsWith({ seed: 1, steps: 10 }, { seed: 2, steps: 10 }, { seed: 2, steps: 20 }));
  expect(rows.map(({ differs }) => differs)).toEqual([
    { seed: 1, "training.max_steps": 10 },
    { seed: 2, "training.max_steps": 10 },
    { seed: 2, "training.max_steps": 20 },
  ]);
});

test("one run differs from nothing, and one whose configuration cannot be read tells none", async () => {
  const [first, second] = await runsWith({ seed: 1 }, { seed: 2 });
  if (!first || !second) throw new Error("no run");
  expect(servedRows([first]).map(({ differs }) => differs)).toEqual([{}]);
  const [known, unknown] = servedRows([first, { ...second, config: undefined }]);
  expect(known?.differs).toMatchObject({ seed: 1 });
  expect(unknown?.differs).toEqual({});
});
