import { existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { planRemoval, removeRun } from "../../../src/runs/remove-run.js";
import { noLockHolders } from "../../../src/runs/scan-runs.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

function written() {
  const folder = temporaryDirectory();
  return { folder, run: writeRun({ folder, id: "a", steps: 2 }) };
}

test("a run goes with all that it consists of, and nothing beside it", async () => {
  const { folder, run } = written();
  writeFileSync(join(folder, "thesis.tex"), "");
  await removeRun(await planRemoval(run, noLockHolders), noLockHolders);
  expect(readdirSync(folder)).toEqual(["thesis.tex"]);
});

test("of a link to a run the link goes, and the run stays", async () => {
  const { folder, run } = written();
  const link = join(folder, "newest");
  symlinkSync(run, link);
  const removal = await planRemoval(link, noLockHolders);
  expect(removal).toEqual({ path: link, leadsTo: run });
  await removeRun(removal, noLockHolders);
  expect(lstatSync(link, { throwIfNoEntry: false })).toBeUndefined();
  expect(existsSync(join(run, "run.json"))).toBe(true);
});

test("what nothing shows to be a run is not planned to go", async () => {
  const { folder, run } = written();
  await expect(planRemoval(folder, noLockHolders)).rejects.toMatchObject({
    code: "RUN_NOT_FOUND",
    message: expect.stringContaining(`${folder} is not removed, since nothing shows that it is a run`),
  });
  writeFileSync(join(run, "thesis.tex"), "");
  await expect(planRemoval(run, noLockHolders)).rejects.toMatchObject({
    code: "RUN_NOT_FOUND",
    message: `${run} is not removed: it holds thesis.tex, which is not a part of a run. Move that elsewhere first`,
  });
});

test("a run that a process writes is not planned to go", async () => {
  const { run } = written();
  const holders = async (directories: readonly string[]) => new Map(directories.map((directory) => [directory, 4711]));
  await expect(planRemoval(run, holders)).rejects.toMatchObject({
    code: "RUN_LOCKED",
    message: `${run} is being written by process 4711: it is not removed. Stop that process first`,
  });
});

test("a process that began to write it, or a file that came, between plan and removal keeps it, under its own name", async () => {
  const { folder, run } = written();
  const removal = await planRemoval(run, noLockHolders);
  // The lock is looked for under the name that nobody else knows.
  const holders = async ([directory = ""]: readonly string[]) => new Map([[directory, 4711]]);
  await expect(removeRun(removal, holders)).rejects.toMatchObject({ code: "RUN_LOCKED", message: expect.stringContaining(`${run} is being written`) });
  expect(readdirSync(folder)).toEqual(["a"]);
  mkdirSync(join(run, "figures"));
  writeFileSync(join(run, "figures", "loss.png"), "");
  await expect(removeRun(removal, noLockHolders)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  expect(readdirSync(folder)).toEqual(["a"]);
});

test("a run that is gone when its turn comes is told by the system's reason", async () => {
  const { run } = written();
  const removal = await planRemoval(run, noLockHolders);
  await removeRun(removal, noLockHolders);
  await expect(removeRun(removal, noLockHolders)).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
});
