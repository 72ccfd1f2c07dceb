import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { servedPaths, tunnelCommand } from "../../../../src/commands/serve/serve-in-terminal.js";
import { Catalogue } from "../../../../src/serve/catalogue.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeExperiment } from "../../serve/written-experiment.js";
import { writeRun } from "../../serve/written-run.js";

const folder = temporaryDirectory();
const run = writeRun({ folder, id: "one" });
writeRun({ folder, id: "other", seed: 1 });
const experiment = writeExperiment(folder);
const archive = join(folder, "one.zip");
execFileSync("python3", ["-m", "zipfile", "-c", archive, run]);

test("a run, an experiment, a folder and a zip are told apart, and the zip goes again", async () => {
  let unpacked: string;
  {
    using found = await servedPaths([folder, run, experiment, archive]);
    expect(found).toMatchObject({ folders: [folder], directories: [run, experiment], archives: [{ name: "one.zip" }] });
    unpacked = found.archives[0]?.folder ?? "";
    expect(existsSync(unpacked)).toBe(true);
  }
  expect(existsSync(unpacked)).toBe(false);
});

test("a single run is shown without those beside it, an experiment with its runs, and each once", async () => {
  const alone = await new Catalogue([], [run]).shelf();
  expect(alone.runs.map(({ directory }) => directory)).toEqual([run]);
  const { runs, plans } = await new Catalogue([], [experiment]).shelf();
  expect(plans.map(({ directory }) => directory)).toEqual([experiment]);
  expect(runs.every(({ plan }) => plan === plans[0]?.id)).toBe(true);
  const twice = await new Catalogue([folder], [run]).shelf();
  expect(twice.runs.filter(({ directory }) => directory === run)).toHaveLength(1);
});

test("what is not there, or neither a folder nor a zip, is told", async () => {
  writeFileSync(join(folder, "words"), "words");
  await expect(servedPaths([join(folder, "nothing")])).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  await expect(servedPaths([join(folder, "words")])).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("neither a folder nor a zip") });
});

test("over SSH, the command of the tunnel names the server that was reached and the same port on both sides", () => {
  expect(tunnelCommand(8421, "ann", "10.0.0.9 51022 10.0.0.1 22")).toBe("ssh -N -L 8421:127.0.0.1:8421 ann@10.0.0.1");
});

test.each([undefined, ""])("without a connection (%j) there is none", (connection) => {
  expect(tunnelCommand(8421, "ann", connection)).toBeUndefined();
});
