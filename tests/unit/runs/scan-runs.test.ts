import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { scanRuns, unfinishedRuns } from "../../../src/runs/scan-runs.js";
import { temporaryFolder } from "../../e2e/program.js";
import { writeRun } from "../serve/written-run.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const nobody = async () => new Map<string, number>();

test("what cannot be read is listed as corrupt, with the reason; hidden and foreign folders are not listed", async () => {
  const out = join(folder.path, "scan");
  for (const name of ["broken", ".hidden.partial", "foreign"]) mkdirSync(join(out, name), { recursive: true });
  writeFileSync(join(out, "broken", "run.json"), "{");
  writeFileSync(join(out, ".hidden.partial", "run.json"), "{");
  expect(await scanRuns(out, nobody)).toMatchObject([{ id: "broken", status: "corrupt", problem: expect.stringContaining("is not JSON") }]);
  expect(await scanRuns(join(out, "absent"), nobody)).toEqual([]);
});

test("a folder of runs that is a file is called one", async () => {
  const file = join(folder.path, "a-file");
  writeFileSync(file, "");
  await expect(scanRuns(file, nobody)).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
    message: `${file} cannot hold runs: it is a file, or a part of its path is one. Give a folder with --out`,
  });
});

test("a run that took no step is not offered to go on with, wherever in its log the first step would be", () => {
  const event = (type: string, more: object) => ({ seq: 1, mono: 1, wall: 1, type, global_step: 1, epoch: 0.1, ...more });
  const before = `${JSON.stringify(event("evaluate", { metrics: {} }))}\n`.repeat(2000); // longer than what is read at once
  const step = `${JSON.stringify(event("step_end", { loss: 2 }))}\n`;
  const logs = {
    none: "",
    evaluated: before,
    stepped: step,
    spaced: step.replaceAll(":", ": ").replaceAll(",", " , "),
    late: `${before}${step}`,
    "across-two-reads": `${" ".repeat(65_500)}${step}`,
    torn: step.slice(0, -5),
  };
  const runs = Object.entries(logs).map(([id, log]) => {
    const directory = join(folder.path, "unfinished", id);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "events.jsonl"), log);
    return { directory, id, status: "interrupted" as const, manifest: undefined, problem: undefined, pid: undefined };
  });
  expect(unfinishedRuns(runs).map(({ id }) => id)).toEqual(["stepped", "spaced", "late", "across-two-reads"]);
});

test("a run is running from the moment it is made, before its process has the lock; later only the lock tells", async () => {
  const out = join(folder.path, "starting");
  const directory = writeRun({ folder: out, id: "new", status: "running" });
  rmSync(join(directory, "events.jsonl"));
  const manifest = JSON.parse(readFileSync(join(directory, "run.json"), "utf8"));
  const made = (secondsAgo: number) =>
    writeFileSync(join(directory, "run.json"), JSON.stringify({ ...manifest, created: new Date(Date.now() - 1000 * secondsAgo).toISOString() }));
  const status = async () => (await scanRuns(out, nobody))[0]?.status;
  made(60);
  expect(await status()).toBe("interrupted");
  made(1);
  expect(await status()).toBe("running");
  writeFileSync(join(directory, "run.lock"), "");
  expect(await status()).toBe("interrupted");
  expect((await scanRuns(out, async () => new Map([[directory, 42]])))[0]).toMatchObject({ status: "running", pid: 42 });
});
